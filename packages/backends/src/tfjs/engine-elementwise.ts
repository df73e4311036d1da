import {
  type BinaryName,
  binaryNames,
  type ComparisonName,
  comparisonNames,
  type Primitives,
  sizeOf,
  type Tensor,
  type UnaryName,
  unaryNames,
} from '@lmd/core';
import { coalesce } from '../host-kernels/strided.js';
import { record } from '../record.js';
import { broadcastShape, broadcastStrides, sameShape } from '../strided-offsets.js';
import type { Context, Run } from './compute.js';
import type { TensorInfo } from './engine.js';

type ElementwiseName = UnaryName | BinaryName | ComparisonName | 'where' | 'cast' | 'broadcastTo';

const unaryKernels: Readonly<Record<Exclude<UnaryName, 'sign'>, string>> = {
  negate: 'Neg',
  absolute: 'Abs',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  tanh: 'Tanh',
  erf: 'Erf',
  round: 'Round',
};

const binaryKernels: Readonly<Record<BinaryName | ComparisonName, string>> = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Multiply',
  divide: 'RealDiv',
  maximum: 'Maximum',
  minimum: 'Minimum',
  equal: 'Equal',
  greater: 'Greater',
  less: 'Less',
};

/** Up to this rank every engine broadcasts natively (wasm: 6). */
const broadcastRank = 4;

/** Elementwise operations by the engine's own kernels, on any TensorFlow.js backend. */
export function engineElementwise(context: Context): Pick<Primitives, ElementwiseName> {
  const { store, compute } = context;

  /** Both operands in a form whose broadcasting every engine can do: as few axes as their pattern needs. */
  function operands(run: Run, a: Tensor, b: Tensor, shape: readonly number[]): { a: TensorInfo; b: TensorInfo } {
    if (sameShape(a.shape, b.shape)) {
      const flat = [sizeOf(shape)];
      return { a: store.info(a, flat), b: store.info(b, flat) };
    }
    const walk = coalesce({ extents: shape, strides: [a, b].map((x) => broadcastStrides(x.shape, shape)) });
    const [infoA, infoB] = [a, b].map((x, i) =>
      store.info(
        x,
        walk.extents.map((extent, axis) => (walk.strides[i]![axis] === 0 ? 1 : extent)),
      ),
    ) as [TensorInfo, TensorInfo];
    if (walk.extents.length <= broadcastRank) return { a: infoA, b: infoB };
    return { a: tile(run, infoA, walk.extents), b: tile(run, infoB, walk.extents) };
  }

  function tile(run: Run, x: TensorInfo, extents: readonly number[]): TensorInfo {
    const repeats = extents.map((extent, axis) => extent / x.shape[axis]!);
    return { ...run('Tile', { x }, { reps: repeats }), shape: [sizeOf(extents)] };
  }

  /** `x` repeated to `shape`, flat. */
  function broadcast(run: Run, x: Tensor, shape: readonly number[]): TensorInfo {
    if (sizeOf(x.shape) === sizeOf(shape)) return store.info(x, [sizeOf(shape)]);
    const walk = coalesce({ extents: shape, strides: [broadcastStrides(x.shape, shape)] });
    const own = walk.extents.map((extent, axis) => (walk.strides[0]![axis] === 0 ? 1 : extent));
    return tile(run, store.info(x, own), walk.extents);
  }

  function choose(run: Run, condition: TensorInfo, t: TensorInfo, e: TensorInfo): TensorInfo {
    return run('Select', { condition, t, e });
  }

  function filled(run: Run, size: number, value: number): TensorInfo {
    return run('Fill', {}, { shape: [size], value, dtype: 'float32' });
  }

  function unary(name: UnaryName) {
    return (x: Tensor) => {
      const size = sizeOf(x.shape);
      if (size === 0) return context.upload(new Float32Array(0), x.shape, 'f32');
      return compute(x.shape, 'f32', (run) => {
        const input = store.info(x, [size]);
        return name === 'sign' ? sign(run, input) : run(unaryKernels[name], { x: input });
      });
    };
  }

  /** Not by the engines' own Sign: it gives 0 for NaN, and on wasm for tiny numbers too. */
  function sign(run: Run, x: TensorInfo): TensorInfo {
    const zero = context.constant(0, 'float32');
    const above = run('Cast', { x: run('Greater', { a: x, b: zero }) }, { dtype: 'float32' });
    const below = run('Cast', { x: run('Less', { a: x, b: zero }) }, { dtype: 'float32' });
    return choose(run, run('IsNan', { x }), x, run('Sub', { a: above, b: below }));
  }

  /** f32 → i32. Engines differ beyond its range and for NaN, so these never reach their `Cast`. */
  function saturated(run: Run, x: TensorInfo, size: number): TensorInfo {
    const limit = context.constant(2 ** 31, 'float32');
    const inside = run('Less', { a: run('Abs', { x }), b: limit });
    const whole = run('Cast', { x: choose(run, inside, x, filled(run, size, 0)) }, { dtype: 'int32' });
    const highest = run('Fill', {}, { shape: [size], value: 2 ** 31 - 1, dtype: 'int32' });
    const lowest = run('Fill', {}, { shape: [size], value: -(2 ** 31), dtype: 'int32' });
    const bounded = choose(run, run('GreaterEqual', { a: x, b: limit }), highest, whole);
    return choose(run, run('LessEqual', { a: x, b: context.constant(-(2 ** 31), 'float32') }), lowest, bounded);
  }

  function binary(name: BinaryName) {
    const keepsNaN = name !== 'maximum' && name !== 'minimum';
    return (x: Tensor, y: Tensor) => {
      const shape = broadcastShape(x.shape, y.shape);
      const size = sizeOf(shape);
      if (size === 0) return context.upload(new Float32Array(0), shape, 'f32');
      return compute(shape, 'f32', (run) => {
        const { a, b } = operands(run, x, y, shape);
        const result = run(binaryKernels[name], { a, b });
        if (keepsNaN) return result;
        // Engines differ in which operand they return beside a NaN.
        const either = run('LogicalOr', { a: run('IsNan', { x: a }), b: run('IsNan', { x: b }) });
        return choose(run, { ...either, shape: [size] }, filled(run, size, Number.NaN), { ...result, shape: [size] });
      });
    };
  }

  function comparison(name: ComparisonName) {
    return (x: Tensor, y: Tensor) => {
      const shape = broadcastShape(x.shape, y.shape);
      if (sizeOf(shape) === 0) return context.upload(new Int32Array(0), shape, 'i32');
      return compute(shape, 'i32', (run) =>
        run('Cast', { x: run(binaryKernels[name], { ...operands(run, x, y, shape) }) }, { dtype: 'int32' }),
      );
    };
  }

  return {
    ...record(unaryNames, unary),
    ...record(binaryNames, binary),
    ...record(comparisonNames, comparison),
    where(condition, a, b) {
      const shape = broadcastShape(condition.shape, a.shape, b.shape);
      if (sizeOf(shape) === 0) return context.upload(emptyOf(a), shape, a.dtype);
      return compute(shape, a.dtype, (run) => {
        // A cast to bool would keep the low byte only, on wasm.
        const zero = context.constant(0, 'int32');
        const test = run('NotEqual', { a: broadcast(run, condition, shape), b: zero });
        return choose(run, test, broadcast(run, a, shape), broadcast(run, b, shape));
      });
    },
    cast(x, dtype) {
      const size = sizeOf(x.shape);
      if (x.dtype === dtype) return store.share(x, x.shape, dtype);
      if (size === 0) return context.upload(dtype === 'f32' ? new Float32Array(0) : new Int32Array(0), x.shape, dtype);
      const target = dtype === 'f32' ? 'float32' : 'int32';
      return compute(x.shape, dtype, (run) => {
        const input = store.info(x, [size]);
        return dtype === 'i32' ? saturated(run, input, size) : run('Cast', { x: input }, { dtype: target });
      });
    },
    broadcastTo(x, shape) {
      if (sizeOf(shape) === 0) return context.upload(emptyOf(x), shape, x.dtype);
      if (sizeOf(shape) === sizeOf(x.shape)) return store.share(x, shape);
      return compute(shape, x.dtype, (run) => broadcast(run, x, shape));
    },
  };
}

function emptyOf(x: Tensor): Float32Array | Int32Array {
  return x.dtype === 'f32' ? new Float32Array(0) : new Int32Array(0);
}
