import { type FloatTensor, type Primitives, sizeOf } from '@lmd/core';
import { withoutAxes } from '../strided-offsets.js';
import { type Context, ofDType } from './context.js';
import { boolAttribute, intAttribute, typeAttribute, types } from './native.js';

type ShapeName = 'sum' | 'max' | 'argMax' | 'matmul' | 'reshape' | 'transpose' | 'slice' | 'concatenate' | 'pad';

const axesType = typeAttribute('Tidx', types.int32);
const dropAxes = boolAttribute('keep_dims', false);

/** Reductions, products and movements, each by one call of TensorFlow's own. */
export function nodeShape({ native, store, compute }: Context): Pick<Primitives, ShapeName> {
  const reduction = (name: string) => (x: FloatTensor, axes: readonly number[]) =>
    compute(withoutAxes(x.shape, axes), x.dtype, (run) =>
      run(name, [...ofDType(x.dtype), axesType, dropAxes], [store.at(x), native.indices(axes)]),
    );

  return {
    sum: reduction('Sum'),
    max: reduction('Max'),
    argMax: (x, axis) =>
      compute(withoutAxes(x.shape, [axis]), 'i32', (run) => {
        const attributes = [...ofDType(x.dtype), axesType, typeAttribute('output_type', types.int32)];
        return run('ArgMax', attributes, [store.at(x), native.scalar(axis, types.int32)]);
      }),

    matmul(a, b, transposeA, transposeB) {
      const batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
      const m = a.shape[transposeA ? 2 : 1]!;
      const n = b.shape[transposeB ? 1 : 2]!;
      return compute([batch, m, n], 'f32', (run) => {
        // One product of all rows beats one product for each of the batch.
        const folds = b.shape[0] === 1 && !transposeA && batch > 1;
        const rows = folds ? [1, batch * m, a.shape[2]!] : a.shape;
        const attributes = [...ofDType('f32'), boolAttribute('adj_x', transposeA), boolAttribute('adj_y', transposeB)];
        return run('BatchMatMulV2', attributes, [store.at(a, rows), store.at(b)]);
      });
    },

    reshape: (x, shape) => store.share(x, shape),
    transpose(x, permutation) {
      const shape = permutation.map((axis) => x.shape[axis]!);
      if (permutation.every((axis, i) => axis === i)) return store.share(x, shape);
      return compute(shape, x.dtype, (run) => {
        const attributes = [...ofDType(x.dtype), typeAttribute('Tperm', types.int32)];
        return run('Transpose', attributes, [store.at(x), native.indices(permutation)]);
      });
    },
    slice(x, begin, size) {
      if (sizeOf(size) === sizeOf(x.shape)) return store.share(x, size);
      return compute(size, x.dtype, (run) => {
        const attributes = [...ofDType(x.dtype), typeAttribute('Index', types.int32)];
        return run('Slice', attributes, [store.at(x), native.indices(begin), native.indices(size)]);
      });
    },
    concatenate(xs, axis) {
      const shape = [...xs[0]!.shape];
      shape[axis] = xs.reduce((total, x) => total + x.shape[axis]!, 0);
      if (xs.length === 1) return store.share(xs[0]!, shape);
      return compute(shape, xs[0]!.dtype, (run) => {
        const attributes = [...ofDType(xs[0]!.dtype), intAttribute('N', xs.length), axesType];
        return run('ConcatV2', attributes, [...xs.map((x) => store.at(x)), native.scalar(axis, types.int32)]);
      });
    },
    pad(x, before, after) {
      const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
      if (sizeOf(shape) === sizeOf(x.shape)) return store.share(x, shape);
      return compute(shape, x.dtype, (run) => {
        const attributes = [...ofDType(x.dtype), typeAttribute('Tpaddings', types.int32)];
        return run('Pad', attributes, [store.at(x), native.table(before.map((count, axis) => [count, after[axis]!]))]);
      });
    },
  };
}
