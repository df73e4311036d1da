import type { Operations } from '@lmd/core';
import type { Recorder } from '../recorder.js';
import { sumToShape } from './broadcasting.js';

type Shape = Pick<Operations, 'reshape' | 'transpose' | 'slice' | 'concatenate' | 'broadcastTo' | 'pad' | 'cast'>;

/** Operations that move values without changing them: gradients move them back, and only shapes are saved. */
export function shape({ ops, record, untracked }: Recorder): Shape {
  return {
    reshape: (x, newShape) =>
      record('reshape', [x], ops.reshape(x, newShape), [{ gradient: (dy) => ops.reshape(dy, x.shape) }]),
    transpose(x, permutation) {
      const y = ops.transpose(x, permutation);
      return record('transpose', [x], y, [
        { gradient: (dy) => ops.transpose(dy, permutation === undefined ? undefined : inverse(permutation)) },
      ]);
    },
    slice: (x, begin, size) => record('slice', [x], ops.slice(x, begin, size), { sliceAt: begin }),
    concatenate(xs, axis) {
      const y = ops.concatenate(xs, axis);
      const along = axis < 0 ? axis + y.shape.length : axis;
      let offset = 0;
      const rules = xs.map((x) => {
        const begin = y.shape.map((_, i) => (i === along ? offset : 0));
        offset += x.shape[along]!;
        return { gradient: (dy: typeof y) => ops.slice(dy, begin, x.shape) };
      });
      return record('concatenate', xs, y, rules);
    },
    broadcastTo: (x, newShape) =>
      record('broadcastTo', [x], ops.broadcastTo(x, newShape), [{ gradient: (dy) => sumToShape(ops, dy, x.shape) }]),
    pad: (x, before, after) =>
      record('pad', [x], ops.pad(x, before, after), [{ gradient: (dy) => ops.slice(dy, before, x.shape) }]),
    cast(x, dtype) {
      const y = ops.cast(x, dtype);
      return dtype === 'f32' ? record('cast', [x], y, [{ gradient: (dy) => dy }]) : untracked([x], y);
    },
  };
}

function inverse(permutation: readonly number[]): number[] {
  const result = permutation.map(() => 0);
  permutation.forEach((from, to) => {
    result[from < 0 ? from + permutation.length : from] = to;
  });
  return result;
}
