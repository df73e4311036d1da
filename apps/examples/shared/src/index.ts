export { accuracyOf, type Network, network, trainingStep } from './network.js';
export { batchOf, mnistPictures, type Pictures, picturesOf } from './pictures.js';
export type { ExampleProgress, Report } from './progress.js';
export { captionOf, type ExampleRecord, machineName, recordInMarkdown } from './record.js';
export {
  type ExampleCommand,
  type ExampleContext,
  type ExampleOutcome,
  type ExampleStreams,
  runExample,
} from './run-example.js';
