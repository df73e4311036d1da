export { type AverageGradientsOptions, averageGradients, averageGradientsOptionTable } from './average-gradients.js';
export { type AverageWeightsOptions, averageWeights, averageWeightsOptionTable } from './average-weights.js';
export { checkContribution } from './contribution.js';
export { type Ballot, countVotes, type VoteCount } from './count-votes.js';
export {
  type InProcessTransportOptions,
  inProcessTransport,
  inProcessTransportOptionTable,
} from './in-process/index.js';
export { portTransport } from './port/client.js';
export type { Port } from './port/messages.js';
export { serveTransport } from './port/serve.js';
export { majority, packNonZeros, packSigns, wordsOf, type ZeroRule } from './signs.js';
export * from './transport.js';
export { type VoteSignsOptions, voteSigns, voteSignsOptionTable } from './vote-signs.js';
export { type WorkerOptions, workerOptionTable } from './worker-options.js';
