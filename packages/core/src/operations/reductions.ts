import type { Operations, ReduceOptions } from '../operations.js';
import { primitiveDTypes } from '../primitive-dtypes.js';
import { type FloatTensor, sizeOf, type Tensor } from '../tensor.js';
import { type Check, type Context, checkFlag, checkOptions } from './context.js';
import { formatShape, normalizeAxes, normalizeAxis, reducedShape, shapeMismatch } from './shapes.js';

export type ReductionOperations = Pick<Operations, 'sum' | 'mean' | 'max' | 'argMax'>;

export function reductionOperations(context: Context): ReductionOperations {
  const { backend, constant, track, alias } = context;
  const check: Check = context.check;
  const known = ['axes', 'keepDims'];

  function reduce(name: 'sum' | 'mean' | 'max', x: Tensor, options: ReduceOptions): Tensor {
    check(name, x, primitiveDTypes[name === 'max' ? 'max' : 'sum'].x);
    checkOptions(name, options, known);
    const { axes, keepDims = false } = options;
    checkFlag(name, 'keepDims', keepDims);
    const reduced = normalizeAxes(name, axes, x.shape.length);
    if (reduced.length === 0) return alias(name, x);
    const shape = reducedShape(x.shape, reduced, keepDims);
    const size = sizeOf(x.shape);
    if (size === 0) {
      // Without elements, the sum is 0, the mean 0/0 and a maximum undefined.
      if (name === 'max' && sizeOf(shape) > 0) throw emptyAxis(name, x);
      return constant(name, shape, name === 'mean' ? Number.NaN : 0, 'f32');
    }
    let result = name === 'max' ? backend.max(x, reduced) : backend.sum(x, reduced);
    if (name === 'mean') {
      const count = backend.full([], size / sizeOf(shape), 'f32');
      result = replace(result, backend.divide(result, count));
      backend.dispose(count);
    }
    if (keepDims) result = replace(result, backend.reshape(result, shape));
    return track(name, result);
  }

  function replace(old: Tensor, fresh: FloatTensor): FloatTensor {
    backend.dispose(old);
    return fresh;
  }

  return {
    sum: (x, options = {}) => reduce('sum', x, options),
    mean: (x, options = {}) => reduce('mean', x, options),
    max: (x, options = {}) => reduce('max', x, options),
    argMax(x, axis = -1) {
      check('argMax', x, primitiveDTypes.argMax.x);
      const along = normalizeAxis('argMax', axis, x.shape.length);
      const shape = reducedShape(x.shape, [along], false);
      if (sizeOf(shape) === 0) return constant('argMax', shape, 0, 'i32');
      if (x.shape[along] === 0) throw emptyAxis('argMax', x);
      return track('argMax', backend.argMax(x, along));
    },
  };
}

function emptyAxis(operation: string, x: Tensor) {
  return shapeMismatch(operation, `${formatShape(x.shape)} has no elements along the axis.`, x.shape);
}
