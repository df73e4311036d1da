export { type ExampleRecord, recordInMarkdown } from './record.js';
export { type ExampleContext, type ExampleOutcome, type ExampleStreams, runExample } from './run-example.js';
