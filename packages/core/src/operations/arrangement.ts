import { describeValue, LmdError } from '../errors.js';
import type { Operations } from '../operations.js';
import { primitiveDTypes } from '../primitive-dtypes.js';
import { sizeOf } from '../tensor.js';
import { type Check, type Context, dtypeMismatch } from './context.js';
import {
  checkArray,
  checkBroadcastTo,
  checkSlice,
  concatenatedShape,
  formatShape,
  normalizeAxis,
  normalizePermutation,
  paddedShape,
  reshapedShape,
  sameShape,
  shapeMismatch,
} from './shapes.js';

export type ArrangementOperations = Pick<
  Operations,
  'reshape' | 'transpose' | 'slice' | 'concatenate' | 'broadcastTo' | 'pad' | 'gather' | 'scatterAdd'
>;

/** Operations that move elements and compute nothing (`scatterAdd` adds). */
export function arrangementOperations(context: Context): ArrangementOperations {
  const { backend, constant, size, track, alias } = context;
  const check: Check = context.check;

  return {
    reshape(x, shape) {
      check('reshape', x, primitiveDTypes.reshape.x);
      return track('reshape', backend.reshape(x, reshapedShape('reshape', x.shape, shape)));
    },

    transpose(x, permutation) {
      check('transpose', x, primitiveDTypes.transpose.x);
      const axes = normalizePermutation('transpose', x.shape, permutation);
      if (sizeOf(x.shape) === 0) {
        return constant(
          'transpose',
          axes.map((axis) => x.shape[axis]!),
          0,
          x.dtype,
        );
      }
      return axes.every((axis, i) => axis === i)
        ? alias('transpose', x)
        : track('transpose', backend.transpose(x, axes));
    },

    slice(x, begin, extents) {
      check('slice', x, primitiveDTypes.slice.x);
      checkSlice('slice', x.shape, begin, extents);
      if (sizeOf(extents) === 0) return constant('slice', extents, 0, x.dtype);
      return sameShape(x.shape, extents) ? alias('slice', x) : track('slice', backend.slice(x, begin, extents));
    },

    concatenate(xs, axis) {
      checkArray('concatenate', 'xs', xs);
      const first = xs[0];
      if (first === undefined) {
        throw new LmdError('INVALID_ARGUMENT', 'concatenate: got no tensors.', {
          subject: 'xs',
          value: xs,
          remedy: 'Pass at least one.',
        });
      }
      for (const x of xs) {
        check('concatenate', x, primitiveDTypes.concatenate.xs);
        if (x.dtype !== first.dtype) throw dtypeMismatch('concatenate', x, first.dtype);
      }
      const along = normalizeAxis('concatenate', axis, first.shape.length);
      const shape = concatenatedShape(
        'concatenate',
        xs.map((x) => x.shape),
        along,
      );
      if (size('concatenate', shape) === 0) return constant('concatenate', shape, 0, first.dtype);
      const filled = xs.filter((x) => sizeOf(x.shape) > 0);
      return filled.length === 1
        ? alias('concatenate', filled[0]!)
        : track('concatenate', backend.concatenate(filled, along));
    },

    broadcastTo(x, shape) {
      check('broadcastTo', x, primitiveDTypes.broadcastTo.x);
      checkBroadcastTo('broadcastTo', x.shape, shape);
      if (size('broadcastTo', shape) === 0) return constant('broadcastTo', shape, 0, x.dtype);
      return sameShape(x.shape, shape) ? alias('broadcastTo', x) : track('broadcastTo', backend.broadcastTo(x, shape));
    },

    pad(x, before, after) {
      check('pad', x, primitiveDTypes.pad.x);
      const shape = paddedShape('pad', x.shape, before, after);
      size('pad', shape);
      if (sizeOf(x.shape) === 0) return constant('pad', shape, 0, x.dtype);
      return sameShape(x.shape, shape) ? alias('pad', x) : track('pad', backend.pad(x, before, after));
    },

    gather(x, indices) {
      check('gather', x, primitiveDTypes.gather.x);
      check('gather', indices, primitiveDTypes.gather.indices);
      if (x.shape.length === 0) throw shapeMismatch('gather', 'a scalar has no rows.', x.shape);
      const shape = [...indices.shape, ...x.shape.slice(1)];
      if (size('gather', shape) === 0) return constant('gather', shape, 0, 'f32');
      if (x.shape[0] === 0) return constant('gather', shape, Number.NaN, 'f32');
      return track('gather', backend.gather(x, indices));
    },

    scatterAdd(indices, updates, rows) {
      check('scatterAdd', indices, primitiveDTypes.scatterAdd.indices);
      check('scatterAdd', updates, primitiveDTypes.scatterAdd.updates);
      const rank = indices.shape.length;
      if (updates.shape.length < rank || !sameShape(updates.shape.slice(0, rank), indices.shape)) {
        throw shapeMismatch(
          'scatterAdd',
          `updates ${formatShape(updates.shape)} do not start with the shape of the indices ${formatShape(indices.shape)}.`,
          [indices.shape, updates.shape],
        );
      }
      if (!Number.isInteger(rows) || rows < 0) {
        throw new LmdError('INVALID_ARGUMENT', `scatterAdd: rows is ${describeValue(rows)}.`, {
          subject: 'rows',
          value: rows,
          remedy: 'Use a non-negative integer.',
        });
      }
      const shape = [rows, ...updates.shape.slice(rank)];
      if (size('scatterAdd', shape) === 0 || sizeOf(updates.shape) === 0)
        return constant('scatterAdd', shape, 0, 'f32');
      return track('scatterAdd', backend.scatterAdd(indices, updates, rows));
    },
  };
}
