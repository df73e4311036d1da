import type { Operations, ReduceOptions, Tensor } from '@lmd/core';
import type { Recorder } from '../recorder.js';

/** `sum`, `mean` and `max`. The gradient of `max` is divided equally among the maxima. */
export function reductions({ ops, record }: Recorder): Pick<Operations, 'sum' | 'mean' | 'max'> {
  const spread = (reduced: Tensor, shape: readonly number[], options?: ReduceOptions): Tensor =>
    ops.broadcastTo(ops.reshape(reduced, keptShape(shape, options?.axes)), shape);

  return {
    sum: (x, options) => record('sum', [x], ops.sum(x, options), [{ gradient: (dy) => spread(dy, x.shape, options) }]),
    mean(x, options) {
      const kept = keptShape(x.shape, options?.axes);
      const count = x.shape.reduce((product, extent, axis) => (kept[axis] === extent ? product : product * extent), 1);
      return record('mean', [x], ops.mean(x, options), [
        { gradient: (dy) => spread(ops.divide(dy, count), x.shape, options) },
      ]);
    },
    max(x, options) {
      const y = ops.max(x, options);
      return record('max', [x], y, [
        {
          saves: [x, y],
          gradient: (dy) => {
            const shape = keptShape(x.shape, options?.axes);
            const isMaximum = ops.cast(ops.equal(x, ops.reshape(y, shape)), 'f32');
            const count = ops.sum(isMaximum, options);
            // A product instead of a selection: with a NaN the count is 0 and the gradient NaN, not zero.
            return ops.multiply(isMaximum, ops.reshape(ops.divide(dy, count), shape));
          },
        },
      ]);
    },
  };
}

/** The shape after a reduction that keeps the reduced axes with extent 1. */
function keptShape(shape: readonly number[], axes: ReduceOptions['axes']): number[] {
  if (axes === undefined) return shape.map(() => 1);
  const reduced = (typeof axes === 'number' ? [axes] : axes).map((axis) => (axis < 0 ? axis + shape.length : axis));
  return shape.map((extent, axis) => (reduced.includes(axis) ? 1 : extent));
}
