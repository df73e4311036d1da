import type { Operations } from '@lmd/core';
import type { Recorder } from '../recorder.js';

/**
 * `gather` and `scatterAdd`, which are each other's gradients. Both ignore indices out of range.
 */
export function indexing({ ops, record }: Recorder): Pick<Operations, 'gather' | 'scatterAdd'> {
  return {
    gather: (x, indices) =>
      record('gather', [x, indices], ops.gather(x, indices), [
        { saves: [indices], gradient: (dy) => ops.scatterAdd(indices, dy, x.shape[0]!) },
        null,
      ]),
    scatterAdd: (indices, updates, rows) =>
      record('scatterAdd', [indices, updates], ops.scatterAdd(indices, updates, rows), [
        null,
        {
          saves: [indices],
          gradient: (dy) => {
            const tooSmall = ops.less(indices, ops.zeros([], 'i32'));
            const inRange = ops.where(tooSmall, ops.zeros([], 'i32'), ops.less(indices, ops.full([], rows, 'i32')));
            const rest = dy.shape.slice(1).map(() => 1);
            // gather returns NaN rows for indices out of range; the selection replaces them with zeros.
            return ops.where(ops.reshape(inRange, [...indices.shape, ...rest]), ops.gather(dy, indices), 0);
          },
        },
      ]),
  };
}
