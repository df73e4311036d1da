import { type DType, type Primitives, sizeOf, type Tensor } from '@lmd/core';
import { coalesce } from '../host-kernels/strided.js';
import { reductionStrides, stridesOf, withoutAxes } from '../strided-offsets.js';
import type { Context } from './compute.js';

type ShapeName =
  | 'sum'
  | 'max'
  | 'argMax'
  | 'matmul'
  | 'reshape'
  | 'transpose'
  | 'slice'
  | 'concatenate'
  | 'pad'
  | 'gather'
  | 'scatterAdd';

/** Reductions, products and movements by the engine's own kernels, on any TensorFlow.js backend. */
export function engineShape(context: Context): Pick<Primitives, ShapeName> {
  const { store, compute } = context;

  function filled<Type extends DType>(shape: readonly number[], value: number, dtype: Type): Tensor<Type> {
    const values = dtype === 'f32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape));
    return context.upload(values.fill(value), shape, dtype);
  }

  /** `x` with as few axes as the reduction needs, and which of them are reduced. */
  function reduction(x: Tensor, axes: readonly number[]) {
    const walk = coalesce({ extents: x.shape, strides: [stridesOf(x.shape), reductionStrides(x.shape, axes)] });
    const reduced = walk.extents.map((_, axis) => axis).filter((axis) => walk.strides[1]![axis] === 0);
    return { x: store.info(x, walk.extents), axes: reduced };
  }

  return {
    sum(x, axes) {
      const shape = withoutAxes(x.shape, axes);
      if (sizeOf(x.shape) === 0) return filled(shape, 0, x.dtype);
      const reduced = reduction(x, axes);
      if (reduced.axes.length === 0) return store.share(x, shape);
      return compute(shape, x.dtype, (run) => run('Sum', { x: reduced.x }, { axis: reduced.axes, keepDims: false }));
    },
    max(x, axes) {
      const shape = withoutAxes(x.shape, axes);
      if (sizeOf(x.shape) === 0) return filled(shape, -Infinity, x.dtype);
      const reduced = reduction(x, axes);
      if (reduced.axes.length === 0) return store.share(x, shape);
      return compute(shape, x.dtype, (run) => {
        if (x.dtype !== 'f32') return run('Max', { x: reduced.x }, { reductionIndices: reduced.axes, keepDims: false });
        // Reduced axes last: TensorFlow.js 4.22's `Any` fails on WebGPU where it would have to transpose booleans.
        const kept = reduced.x.shape.map((_, axis) => axis).filter((axis) => !reduced.axes.includes(axis));
        const isLast = kept.every((axis, index) => axis === index);
        const lines = isLast ? reduced.x : run('Transpose', { x: reduced.x }, { perm: [...kept, ...reduced.axes] });
        const axis = reduced.axes.map((_, index) => kept.length + index);
        const largest = run('Max', { x: lines }, { reductionIndices: axis, keepDims: false });
        // Engines on a GPU skip NaN.
        const flat = [sizeOf(shape)];
        const found = run('Any', { x: run('IsNan', { x: lines }) }, { axis, keepDims: false });
        const missing = run('Fill', {}, { shape: flat, value: Number.NaN, dtype: 'float32' });
        return run('Select', { condition: { ...found, shape: flat }, t: missing, e: { ...largest, shape: flat } });
      });
    },
    argMax(x, axis) {
      const inner = stridesOf(x.shape)[axis]!;
      const extent = x.shape[axis]!;
      const shape = withoutAxes(x.shape, [axis]);
      if (sizeOf(shape) === 0) return filled(shape, 0, 'i32');
      const lines = store.info(x, [sizeOf(shape) / inner, extent, inner]);
      return compute(shape, 'i32', (run) => run('ArgMax', { x: lines }, { axis: 1 }));
    },

    matmul(a, b, transposeA, transposeB) {
      const batch = Math.max(a.shape[0]!, b.shape[0]!);
      const m = a.shape[transposeA ? 2 : 1]!;
      const n = b.shape[transposeB ? 1 : 2]!;
      const shape = [batch, m, n];
      const emptyBatch = a.shape[0] === 0 || b.shape[0] === 0;
      if (sizeOf(a.shape) === 0 || sizeOf(b.shape) === 0) return filled(emptyBatch ? [0, m, n] : shape, 0, 'f32');
      return compute(shape, 'f32', (run) => {
        // One product of all rows beats one product for each of the batch.
        const folds = b.shape[0] === 1 && !transposeA;
        const rows = folds ? [1, batch * m, a.shape[2]!] : a.shape;
        return run('BatchMatMul', { a: store.info(a, rows), b: store.info(b) }, { transposeA, transposeB });
      });
    },

    reshape: (x, shape) => store.share(x, shape),
    transpose(x, permutation) {
      const shape = permutation.map((axis) => x.shape[axis]!);
      if (sizeOf(shape) === 0) return store.share(x, shape);
      const own = stridesOf(x.shape);
      const strides = permutation.map((axis) => own[axis]!);
      const walk = coalesce({ extents: shape, strides: [strides, stridesOf(shape)] });
      if (walk.extents.length === 1) return store.share(x, shape);
      // The axes of the result, in the order in which x stores them.
      const order = walk.extents.map((_, axis) => axis).sort((i, j) => walk.strides[0]![j]! - walk.strides[0]![i]!);
      const stored = order.map((axis) => walk.extents[axis]!);
      const perm = walk.extents.map((_, axis) => order.indexOf(axis));
      return compute(shape, x.dtype, (run) => run('Transpose', { x: store.info(x, stored) }, { perm }));
    },
    slice(x, begin, size) {
      if (sizeOf(size) === 0) return filled(size, 0, x.dtype);
      if (sizeOf(size) === sizeOf(x.shape)) return store.share(x, size);
      return compute(size, x.dtype, (run) => run('Slice', { x: store.info(x) }, { begin, size }));
    },
    concatenate(xs, axis) {
      const shape = [...xs[0]!.shape];
      shape[axis] = xs.reduce((sum, x) => sum + x.shape[axis]!, 0);
      const dtype = xs[0]!.dtype;
      const filledOnes = xs.filter((x) => sizeOf(x.shape) > 0);
      if (filledOnes.length === 0) return filled(shape, 0, dtype);
      if (filledOnes.length === 1) return store.share(filledOnes[0]!, shape);
      const outer = sizeOf(shape.slice(0, axis));
      const parts = filledOnes.map((x) => store.info(x, [outer, sizeOf(x.shape) / outer]));
      return compute(shape, dtype, (run) => run('Concat', parts as never, { axis: 1 }));
    },
    pad(x, before, after) {
      const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
      if (sizeOf(shape) === sizeOf(x.shape)) return store.share(x, shape);
      if (sizeOf(x.shape) === 0) return filled(shape, 0, x.dtype);
      const paddings = before.map((count, axis) => [count, after[axis]!]);
      return compute(shape, x.dtype, (run) => run('PadV2', { x: store.info(x) }, { paddings, constantValue: 0 }));
    },

    gather(x, indices) {
      const [rows, ...rest] = x.shape as [number, ...number[]];
      const shape = [...indices.shape, ...rest];
      const count = sizeOf(indices.shape);
      const width = sizeOf(rest);
      if (sizeOf(shape) === 0) return filled(shape, 0, x.dtype);
      if (rows === 0) return filled(shape, Number.NaN, x.dtype);
      return compute(shape, x.dtype, (run) => {
        const flat = store.info(indices, [count]);
        const { inside, safe } = checkedIndices(context, run, flat, count, rows, 0);
        const table = store.info(x, [rows, width]);
        const found = run('GatherV2', { x: table, indices: safe }, { axis: 0, batchDims: 0 });
        if (x.dtype !== 'f32') return found;
        const repeated = run('Tile', { x: { ...inside, shape: [count, 1] } }, { reps: [1, width] });
        const missing = run('Fill', {}, { shape: [count, width], value: Number.NaN, dtype: 'float32' });
        return run('Select', { condition: repeated, t: found, e: missing });
      });
    },
    scatterAdd(indices, updates, rows) {
      const rest = updates.shape.slice(indices.shape.length);
      const shape = [rows, ...rest];
      const count = sizeOf(indices.shape);
      const width = sizeOf(rest);
      if (sizeOf(shape) === 0 || count === 0) return filled(shape, 0, updates.dtype);
      return compute(shape, updates.dtype, (run) => {
        // What is out of range goes to one more row, which is cut off.
        const { safe } = checkedIndices(context, run, store.info(indices, [count]), count, rows, rows);
        const added = run(
          'ScatterNd',
          { indices: { ...safe, shape: [count, 1] }, updates: store.info(updates, [count, width]) },
          { shape: [rows + 1, width] },
        );
        return run('Slice', { x: added }, { begin: [0, 0], size: [rows, width] });
      });
    },
  };
}

/** Which indices are in [0, rows), and the indices with `substitute` for the others. */
function checkedIndices(
  { constant }: Context,
  run: Parameters<Parameters<Context['compute']>[2]>[0],
  indices: ReturnType<Context['constant']>,
  count: number,
  rows: number,
  substitute: number,
) {
  const notBelow = run('GreaterEqual', { a: indices, b: constant(0, 'int32') });
  const inside = run('LogicalAnd', { a: notBelow, b: run('Less', { a: indices, b: constant(rows, 'int32') }) });
  const other = run('Fill', {}, { shape: [count], value: substitute, dtype: 'int32' });
  return { inside, safe: run('Select', { condition: inside, t: indices, e: other }) };
}
