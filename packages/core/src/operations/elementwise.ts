import {
  type BinaryName,
  binaryNames,
  type ComparisonName,
  comparisonNames,
  type UnaryName,
  unaryNames,
} from '../backend.js';
import { describeValue, LmdError } from '../errors.js';
import type { Operations, TensorLike } from '../operations.js';
import { primitiveDTypes } from '../primitive-dtypes.js';
import type { DType, FloatTensor, Tensor } from '../tensor.js';
import { bytesRemedy, type Check, type Context, dtypeMismatch } from './context.js';
import { broadcastShapes, type Shape } from './shapes.js';

export type ElementwiseOperations = Pick<Operations, UnaryName | BinaryName | ComparisonName | 'where' | 'cast'>;

export function elementwiseOperations(context: Context): ElementwiseOperations {
  const { backend, constant, size, track, withTensor, alias } = context;
  const check: Check = context.check;

  function unary(name: UnaryName) {
    return (x: Tensor): Tensor => {
      check(name, x, primitiveDTypes[name].x);
      return size(name, x.shape) === 0
        ? constant(name, x.shape, 0, primitiveDTypes[name].result)
        : track(name, backend[name](x));
    };
  }

  /** The backend's result, or an empty tensor without calling the backend. */
  function result<Type extends DType>(
    name: string,
    shape: Shape,
    dtype: Type,
    compute: () => Tensor<Type>,
  ): Tensor<Type> {
    return size(name, shape) === 0 ? constant(name, shape, 0, dtype) : track(name, compute());
  }

  function binary(name: BinaryName) {
    const rule = primitiveDTypes[name];
    const compute = (a: FloatTensor, b: FloatTensor) =>
      result(name, broadcastShapes(name, a.shape, b.shape), rule.result, () => backend[name](a, b));
    return (a: TensorLike, b: TensorLike): Tensor => {
      if (typeof a !== 'number') check(name, a, rule.a);
      if (typeof b !== 'number') check(name, b, rule.b);
      return withTensor(name, a, 'f32', (left) => withTensor(name, b, 'f32', (right) => compute(left, right)));
    };
  }

  function comparison(name: ComparisonName) {
    return (a: TensorLike, b: TensorLike): Tensor => {
      const rule = primitiveDTypes[name];
      const [p, q, dtype] = alike(name, a, b, rule.a);
      return withTensor(name, p, dtype, (left) =>
        withTensor(name, q, dtype, (right) =>
          result(name, broadcastShapes(name, left.shape, right.shape), rule.result, () => backend[name](left, right)),
        ),
      );
    };
  }

  /** Checks both, and gives them with the dtype that they share; a number takes that of the tensor beside it. */
  function alike<Type extends DType>(
    name: string,
    a: TensorLike,
    b: TensorLike,
    allowed: readonly Type[],
  ): readonly [Tensor<Type> | number, Tensor<Type> | number, Type] {
    if (typeof a !== 'number') check(name, a);
    if (typeof b !== 'number') check(name, b);
    if (typeof a !== 'number' && typeof b !== 'number' && a.dtype !== b.dtype) throw dtypeMismatch(name, b, a.dtype);
    for (const x of [a, b]) if (typeof x !== 'number') check(name, x, allowed);
    const dtype = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'f32';
    return [a, b, dtype] as [Tensor<Type> | number, Tensor<Type> | number, Type];
  }

  return {
    ...record(unaryNames, unary),
    ...record(binaryNames, binary),
    ...record(comparisonNames, comparison),

    where(condition, a, b) {
      const rule = primitiveDTypes.where;
      check('where', condition, rule.condition);
      const [p, q, dtype] = alike('where', a, b, rule.a);
      return withTensor('where', p, dtype, (left) =>
        withTensor('where', q, dtype, (right) => {
          const shape = broadcastShapes('where', broadcastShapes('where', condition.shape, left.shape), right.shape);
          return result('where', shape, dtype, () => backend.where(condition, left, right));
        }),
      );
    },

    cast(x, dtype) {
      const rule = primitiveDTypes.cast;
      check('cast', x);
      if (x.dtype === dtype) return alias('cast', x);
      check('cast', x, rule.x);
      const target = rule.dtype.find((allowed) => allowed === dtype);
      if (target === undefined) {
        throw new LmdError('DTYPE_MISMATCH', `cast: dtype is ${describeValue(dtype)}.`, {
          subject: 'dtype',
          value: dtype,
          remedy: dtype === 'u8' ? `Use "f32" or "i32"; ${bytesRemedy}` : 'Use "f32" or "i32".',
        });
      }
      return result('cast', x.shape, target, () => backend.cast(x, target));
    },
  };
}

function record<Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}
