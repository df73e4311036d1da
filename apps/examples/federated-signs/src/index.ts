export { dirichletClients } from './experiment/dirichlet.js';
export {
  type FederatedContext,
  type FederatedMeasurement,
  type FederatedOptions,
  type FederatedResult,
  federated,
  federatedOptionTable,
} from './experiment/federated.js';
export { meetingOptionTable, openTransport } from './experiment/open-transport.js';
export type { Message, Method } from './method.js';
export { type Kept, keepSalient } from './pruning.js';
export { type Meeting, serve, takePart } from './rounds.js';
export { signMask } from './sign-mask.js';
export { majority, packSigns, unpackSigns } from './signs.js';
