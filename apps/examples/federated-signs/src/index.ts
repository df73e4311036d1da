export { dirichletClients } from './dirichlet.js';
export {
  type FederatedMeasurement,
  type FederatedOptions,
  type FederatedResult,
  federated,
  federatedOptionTable,
} from './federated.js';
export { type Kept, keepSalient } from './pruning.js';
export { majority, packSigns, unpackSigns } from './signs.js';
