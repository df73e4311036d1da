import { type DType, type Primitives, sizeOf, type Tensor } from '@lmd/core';
import { coalesce } from '../host-kernels/strided.js';
import { broadcastStrides, sameShape, stridesOf } from '../strided-offsets.js';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { perElement } from './wgsl.js';

type Movements = Pick<Primitives, 'reshape' | 'transpose' | 'slice' | 'concatenate' | 'pad' | 'broadcastTo'>;

const fillKernel: Kernel = {
  name: 'fill',
  inputs: {},
  outputs: { out: 'u32' },
  parameters: { count: 'u32', word: 'u32' },
  code: perElement('out_set(i, params.word);'),
};

/** Writes one 32-bit word everywhere. */
export function fill({ runPages }: Context, out: Tensor, word: number): void {
  runPages(fillKernel, [], [out], { word });
}

const copyKernel: Kernel = {
  name: 'copy',
  inputs: { x: 'u32' },
  outputs: { out: 'u32' },
  parameters: {
    count: 'u32',
    rank: 'u32',
    start: 'u32',
    target_start: 'u32',
    extents: 'u32x8',
    strides: 'u32x8',
    target_strides: 'u32x8',
  },
  code: perElement(`
  var from_at = params.start;
  var to_at = params.target_start;
  var rest = i;
  for (var d = params.rank; d > 0u; d--) {
    let row = (d - 1u) >> 2u;
    let column = (d - 1u) & 3u;
    let extent = params.extents[row][column];
    let index = rest % extent;
    rest = rest / extent;
    from_at += index * params.strides[row][column];
    to_at += index * params.target_strides[row][column];
  }
  out_set(to_at, x_at(from_at));`),
};

/** One side of a copy: where it starts, and its stride along every axis, in elements. */
interface Side {
  readonly tensor: Tensor;
  readonly start: number;
  readonly strides: readonly number[];
}

export function movement(context: Context): Movements {
  const { make, runElements, store } = context;
  const whole = (tensor: Tensor): Side => ({ tensor, start: 0, strides: stridesOf(tensor.shape) });

  function move(extents: readonly number[], source: Side, target: Side): void {
    if (extents.includes(0)) return;
    const walk = coalesce({ extents, strides: [source.strides, target.strides] });
    const values = {
      rank: walk.extents.length,
      start: source.start,
      target_start: target.start,
      extents: walk.extents,
      strides: walk.strides[0]!,
      target_strides: walk.strides[1]!,
    };
    runElements(copyKernel, [source.tensor], [target.tensor], values, sizeOf(extents));
  }

  function copy<Type extends DType>(
    x: Tensor<Type>,
    shape: readonly number[],
    strides: readonly number[],
    start = 0,
  ): Tensor<Type> {
    return make(shape, x.dtype, (out) => move(shape, { tensor: x, start, strides }, whole(out)));
  }

  return {
    reshape: (x, shape) => store.share(x, shape),
    transpose(x, permutation) {
      const strides = stridesOf(x.shape);
      return copy(
        x,
        permutation.map((axis) => x.shape[axis]!),
        permutation.map((axis) => strides[axis]!),
      );
    },
    slice(x, begin, size) {
      const strides = stridesOf(x.shape);
      const start = begin.reduce((offset, index, axis) => offset + index * strides[axis]!, 0);
      return copy(x, size, strides, start);
    },
    concatenate(xs, axis) {
      const shape = [...xs[0]!.shape];
      shape[axis] = xs.reduce((total, x) => total + x.shape[axis]!, 0);
      return make(shape, xs[0]!.dtype, (tensor) => {
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
      return make(shape, x.dtype, (tensor) => {
        const strides = stridesOf(shape);
        const start = before.reduce((offset, count, axis) => offset + count * strides[axis]!, 0);
        fill(context, tensor, 0);
        move(x.shape, whole(x), { tensor, start, strides });
      });
    },
    broadcastTo(x, shape) {
      if (sameShape(x.shape, shape)) return store.share(x, shape);
      return copy(x, shape, broadcastStrides(x.shape, shape));
    },
  };
}
