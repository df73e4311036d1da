import {
  binaryNames,
  type ComparisonName,
  comparisonNames,
  fillRandomBits,
  fillRandomNormal,
  fillRandomUniform,
  type Primitives,
  sizeOf,
  type Tensor,
  unaryNames,
} from '@lmd/core';
import { binary, comparison, select, truncate, unary } from '../host-kernels/elementwise.js';
import { gatherRows, scatterAddRows } from '../host-kernels/indexed-rows.js';
import { matmul } from '../host-kernels/matmul.js';
import { argMax, max, sum } from '../host-kernels/reductions.js';
import { stridedCopy } from '../host-kernels/strided.js';
import { record } from '../record.js';
import { broadcastShape, withoutAxes } from '../strided-offsets.js';
import type { Host } from './host.js';
import { broadcast, type Move, movements } from './movements.js';

/** Every primitive but creation and readback as loops of our own over the backend's memory. */
export function hostPrimitives(host: Host): Omit<Primitives, 'fromData' | 'full' | 'read' | 'dispose'> {
  const { store, make } = host;

  const move: Move = (extents, source, target) => {
    const [from, to] = [host.view(source.tensor), host.view(target.tensor)];
    stridedCopy(extents, from, source.strides, source.start, to, target.strides, target.start);
  };

  const shaped = (x: Tensor) => ({ values: host.floats(x), shape: x.shape });

  return {
    ...record(
      unaryNames,
      (name) => (x: Tensor) => make(x.shape, 'f32', (out) => unary(name, host.floats(x), host.floats(out))),
    ),
    ...record(binaryNames, (name) => (a: Tensor, b: Tensor) => {
      const shape = broadcastShape(a.shape, b.shape);
      return make(shape, 'f32', (out) => binary(name, shaped(a), shaped(b), shape, host.floats(out)));
    }),
    ...record(comparisonNames, (name: ComparisonName) => (a: Tensor, b: Tensor) => {
      const shape = broadcastShape(a.shape, b.shape);
      return make(shape, 'i32', (out) => {
        const [left, right] = [a, b].map((x) => ({ values: host.view(x), shape: x.shape }));
        comparison(name, left!, right!, shape, host.integers(out));
      });
    }),
    where(condition, a, b) {
      const shape = broadcastShape(condition.shape, a.shape, b.shape);
      const repeated = [condition, a, b].map((x: Tensor) => broadcast(host, move, x, shape)) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const result = make(shape, a.dtype, (out) => {
        select(host.integers(repeated[0]), host.view(repeated[1]), host.view(repeated[2]), host.view(out));
      });
      for (const x of repeated) store.free(x);
      return result;
    },
    cast(x, dtype) {
      if (x.dtype === dtype) return store.share(x, x.shape, dtype);
      return make(x.shape, dtype, (out) => {
        if (dtype === 'f32') host.floats(out).set(host.integers(x));
        else truncate(host.floats(x), host.integers(out));
      });
    },

    sum: (x, axes) =>
      make(withoutAxes(x.shape, axes), x.dtype, (out) => sum(host.view(x), x.shape, axes, host.view(out))),
    max: (x, axes) =>
      make(withoutAxes(x.shape, axes), x.dtype, (out) => max(host.view(x), x.shape, axes, host.view(out))),
    argMax: (x, axis) =>
      make(withoutAxes(x.shape, [axis]), 'i32', (out) => argMax(host.view(x), x.shape, axis, host.integers(out))),

    matmul(a, b, transposeA, transposeB) {
      const batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
      const shape = [batch, a.shape[transposeA ? 2 : 1]!, b.shape[transposeB ? 1 : 2]!];
      return make(shape, 'f32', (out) => {
        const left = { values: host.floats(a), shape: a.shape, transpose: transposeA };
        matmul(left, { values: host.floats(b), shape: b.shape, transpose: transposeB }, host.floats(out));
      });
    },

    reshape: (x, shape) => store.share(x, shape),
    ...movements(host, move),
    gather(x, indices) {
      const [rows, ...rest] = x.shape as [number, ...number[]];
      return make([...indices.shape, ...rest], x.dtype, (out) => {
        gatherRows(host.view(x), rows, sizeOf(rest), host.integers(indices), host.view(out));
      });
    },
    scatterAdd(indices, updates, rows) {
      const rest = updates.shape.slice(indices.shape.length);
      return make([rows, ...rest], updates.dtype, (out) => {
        scatterAddRows(host.integers(indices), host.view(updates), rows, sizeOf(rest), host.view(out));
      });
    },

    randomBits: (shape, key) => make(shape, 'i32', (out) => fillRandomBits(host.integers(out), key)),
    randomUniform: (shape, key) => make(shape, 'f32', (out) => fillRandomUniform(host.floats(out), key)),
    randomNormal: (shape, key) => make(shape, 'f32', (out) => fillRandomNormal(host.floats(out), key)),
  };
}
