import type { DType, Primitives, Tensor } from '@lmd/core';
import { broadcastStrides, sameShape, stridesOf } from '../strided-offsets.js';
import type { Host } from './host.js';

/** One side of a copy: where it starts, and its stride along every axis, in elements. */
export interface Side {
  readonly tensor: Tensor;
  readonly start: number;
  readonly strides: readonly number[];
}

/**
 * Copies one value for every index of `extents`. Take views only when it is called: the target was made just before.
 */
export type Move = (extents: readonly number[], source: Side, target: Side) => void;

const whole = (tensor: Tensor): Side => ({ tensor, start: 0, strides: stridesOf(tensor.shape) });

/** The offset of an index. */
function offsetOf(index: readonly number[], strides: readonly number[]): number {
  return index.reduce((offset, place, axis) => offset + place * strides[axis]!, 0);
}

/** `x` repeated as NumPy broadcasting does; another handle where there is nothing to repeat. */
export function broadcast<Type extends DType>(
  host: Host,
  move: Move,
  x: Tensor<Type>,
  shape: readonly number[],
): Tensor<Type> {
  if (sameShape(x.shape, shape)) return host.store.share(x, shape);
  return host.make(shape, x.dtype, (out) => {
    move(shape, { tensor: x, start: 0, strides: broadcastStrides(x.shape, shape) }, whole(out));
  });
}

/** Everything that only moves values, as copies between strides. */
export function movements(
  host: Host,
  move: Move,
): Pick<Primitives, 'transpose' | 'slice' | 'concatenate' | 'pad' | 'broadcastTo'> {
  return {
    transpose(x, permutation) {
      const strides = stridesOf(x.shape);
      const shape = permutation.map((axis) => x.shape[axis]!);
      return host.make(shape, x.dtype, (out) => {
        move(shape, { tensor: x, start: 0, strides: permutation.map((axis) => strides[axis]!) }, whole(out));
      });
    },
    slice(x, begin, size) {
      const strides = stridesOf(x.shape);
      return host.make(size, x.dtype, (out) => {
        move(size, { tensor: x, start: offsetOf(begin, strides), strides }, whole(out));
      });
    },
    concatenate(xs, axis) {
      const shape = [...xs[0]!.shape];
      shape[axis] = xs.reduce((total, x) => total + x.shape[axis]!, 0);
      return host.make(shape, xs[0]!.dtype, (tensor) => {
        const strides = stridesOf(shape);
        let start = 0;
        for (const x of xs) {
          move(x.shape, whole(x), { tensor, start, strides });
          start += x.shape[axis]! * strides[axis]!;
        }
      });
    },
    pad(x, before, after) {
      const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
      return host.make(shape, x.dtype, (tensor) => {
        const strides = stridesOf(shape);
        host.view(tensor).fill(0);
        move(x.shape, whole(x), { tensor, start: offsetOf(before, strides), strides });
      });
    },
    broadcastTo: (x, shape) => broadcast(host, move, x, shape),
  };
}
