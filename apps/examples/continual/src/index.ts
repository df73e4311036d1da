export {
  type ContinualOptions,
  type ContinualResult,
  continual,
  continualOptionTable,
  optimizerNames,
  projections,
  summaryOf,
} from './experiment/continual.js';
export { permuted } from './experiment/permuted.js';
export { type HebbianOptions, hebbianOptionTable, hebbianSubspace } from './hebbian-subspace.js';
export {
  type Directions,
  orthogonalProjection,
  type ProjectionOptions,
  projectionOptionTable,
} from './orthogonal-projection.js';
