import {
  type BinaryName,
  binaryNames,
  type ComparisonName,
  comparisonNames,
  type DType,
  type Primitives,
  sizeOf,
  type Tensor,
  type UnaryName,
  unaryNames,
} from '@lmd/core';
import { coalesce } from '../host-kernels/strided.js';
import { record } from '../record.js';
import { broadcastShape, broadcastStrides, sameShape } from '../strided-offsets.js';
import { type Context, cast, ofDType, type Run, typed } from './context.js';
import { type NativeValue, typeAttribute, types } from './native.js';

type ElementwiseName = UnaryName | BinaryName | ComparisonName | 'where' | 'cast' | 'broadcastTo';

const unaryOperations: Readonly<Record<UnaryName, string>> = {
  negate: 'Neg',
  absolute: 'Abs',
  sign: 'Sign',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  tanh: 'Tanh',
  erf: 'Erf',
  round: 'Rint',
};

const binaryOperations: Readonly<Record<BinaryName | ComparisonName, string>> = {
  add: 'AddV2',
  subtract: 'Sub',
  multiply: 'Mul',
  divide: 'RealDiv',
  maximum: 'Maximum',
  minimum: 'Minimum',
  equal: 'Equal',
  greater: 'Greater',
  less: 'Less',
};

/** Up to this many axes, neighbours that broadcast alike counted once, TensorFlow broadcasts natively. */
const broadcastRank = 5;

const float = typed(types.float32);

/** Elementwise operations, each by one call of TensorFlow's own. */
export function nodeElementwise(context: Context): Pick<Primitives, ElementwiseName> {
  const { store, compute } = context;

  /** Operands in shapes whose broadcasting TensorFlow can do. */
  function operands(run: Run, xs: readonly Tensor[], shape: readonly number[]): number[] {
    const values = xs.map((x) => store.value(x));
    if (xs.every((x) => sameShape(x.shape, shape))) {
      // TensorFlow may hold them in another shape, if it is the same for all.
      if (values.every((value) => sameShape(value.shape, values[0]!.shape))) return values.map(({ id }) => id);
      return xs.map((x) => store.at(x));
    }
    if (shape.length <= broadcastRank) return xs.map((x) => store.at(x));
    const walk = coalesce({ extents: shape, strides: xs.map((x) => broadcastStrides(x.shape, shape)) });
    return xs.map((x, i) => {
      const own = walk.extents.map((extent, axis) => (walk.strides[i]![axis] === 0 ? 1 : extent));
      return walk.extents.length <= broadcastRank ? store.at(x, own) : tile(run, x, own, walk.extents);
    });
  }

  function tile(run: Run, x: Tensor, own: readonly number[], extents: readonly number[]): number {
    const repeats = extents.map((extent, axis) => (own[axis] === 0 ? 1 : extent / own[axis]!));
    const attributes = [...ofDType(x.dtype), typeAttribute('Tmultiples', types.int32)];
    return run('Tile', attributes, [store.at(x, own), context.native.indices(repeats)]).id;
  }

  const unary = (name: UnaryName) => (x: Tensor) =>
    compute(x.shape, 'f32', (run) => run(unaryOperations[name], float, [store.value(x).id]));

  const binary = (name: BinaryName) => (a: Tensor, b: Tensor) => {
    const shape = broadcastShape(a.shape, b.shape);
    return compute(shape, 'f32', (run) => run(binaryOperations[name], float, operands(run, [a, b], shape)));
  };

  const comparison = (name: ComparisonName) => (a: Tensor, b: Tensor) => {
    const shape = broadcastShape(a.shape, b.shape);
    return compute(shape, 'i32', (run) => {
      const truth = run(binaryOperations[name], ofDType(a.dtype), operands(run, [a, b], shape));
      return cast(run, truth.id, types.bool, types.int32);
    });
  };

  return {
    ...record(unaryNames, unary),
    ...record(binaryNames, binary),
    ...record(comparisonNames, comparison),
    where(condition, a, b) {
      const shape = broadcastShape(condition.shape, a.shape, b.shape);
      return compute(shape, a.dtype, (run) => {
        const [c, p, q] = operands(run, [condition, a, b], shape) as [number, number, number];
        const test = run('NotEqual', typed(types.int32), [c, context.native.scalar(0, types.int32)]);
        return run('SelectV2', ofDType(a.dtype), [test.id, p, q]);
      });
    },
    cast(x, dtype) {
      if (x.dtype === dtype) return store.share(x, x.shape, dtype);
      return compute(x.shape, dtype, (run) => {
        const { id } = store.value(x);
        return dtype === 'i32' ? saturated(context, run, id) : cast(run, id, types.int32, types.float32);
      });
    },
    broadcastTo(x, shape) {
      if (sizeOf(shape) === sizeOf(x.shape) && sizeOf(shape) > 0) return store.share(x, shape);
      if (sizeOf(shape) === 0) return context.upload(emptyOf(x.dtype), shape, x.dtype);
      return compute(shape, x.dtype, (run) => {
        const walk = coalesce({ extents: shape, strides: [broadcastStrides(x.shape, shape)] });
        const own = walk.extents.map((extent, axis) => (walk.strides[0]![axis] === 0 ? 1 : extent));
        return { id: tile(run, x, own, walk.extents), shape: walk.extents };
      });
    },
  };
}

/** f32 → i32. TensorFlow gives −2^31 for NaN and whatever is out of range; float64 holds both bounds. */
function saturated({ native }: Context, run: Run, id: number): NativeValue {
  const isNumber = run('Equal', typed(types.float32), [id, id]);
  const numbers = run('SelectV2', typed(types.float32), [isNumber.id, id, native.scalar(0, types.float32)]);
  const bound = (value: number) => cast(run, native.scalar(value, types.int32), types.int32, types.float64).id;
  const double = typed(types.float64);
  const wide = cast(run, numbers.id, types.float32, types.float64);
  const low = run('Maximum', double, [wide.id, bound(-(2 ** 31))]);
  const inRange = run('Minimum', double, [low.id, bound(2 ** 31 - 1)]);
  return cast(run, inRange.id, types.float64, types.int32);
}

function emptyOf(dtype: DType): Float32Array | Int32Array | Uint8Array {
  return dtype === 'f32' ? new Float32Array(0) : dtype === 'i32' ? new Int32Array(0) : new Uint8Array(0);
}
