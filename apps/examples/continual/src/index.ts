export {
  type ContinualOptions,
  type ContinualResult,
  continual,
  continualOptionTable,
  optimizerNames,
  projections,
  summaryOf,
} from './continual.js';
export { type HebbianOptions, hebbianOptionTable, hebbianSubspace } from './hebbian-subspace.js';
export {
  orthogonalProjection,
  type ProjectedOptimizer,
  type ProjectionOptions,
  projectionOptionTable,
} from './orthogonal-projection.js';
export { permuted } from './permuted.js';
