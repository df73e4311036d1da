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
import type { DType, Tensor } from '../tensor.js';
import { bytesRemedy, type Context, dtypeMismatch } from './context.js';
import { broadcastShapes, type Shape } from './shapes.js';

export type ElementwiseOperations = Pick<Operations, UnaryName | BinaryName | ComparisonName | 'where' | 'cast'>;

export function elementwiseOperations(context: Context): ElementwiseOperations {
  const { backend, check, constant, size, track, withTensor, alias } = context;

  function unary(name: UnaryName) {
    return (x: Tensor): Tensor => {
      check(name, x, 'f32');
      return size(name, x.shape) === 0 ? constant(name, x.shape, 0, 'f32') : track(name, backend[name](x));
    };
  }

  /** Either the backend's result, or an empty tensor without asking it. */
  function result(name: string, shape: Shape, dtype: DType, compute: () => Tensor): Tensor {
    return size(name, shape) === 0 ? constant(name, shape, 0, dtype) : track(name, compute());
  }

  function binary(name: BinaryName) {
    const compute = (a: Tensor, b: Tensor) =>
      result(name, broadcastShapes(name, a.shape, b.shape), 'f32', () => backend[name](a, b));
    return (a: TensorLike, b: TensorLike): Tensor => {
      if (typeof a !== 'number') check(name, a, 'f32');
      if (typeof b !== 'number') check(name, b, 'f32');
      return withTensor(name, a, 'f32', (left) => withTensor(name, b, 'f32', (right) => compute(left, right)));
    };
  }

  function comparison(name: ComparisonName) {
    return (a: TensorLike, b: TensorLike): Tensor => {
      const dtype = commonDType(name, a, b);
      if (dtype === 'u8') throw dtypeMismatch(name, a as Tensor, 'f32 or i32');
      return withTensor(name, a, dtype, (left) =>
        withTensor(name, b, dtype, (right) =>
          result(name, broadcastShapes(name, left.shape, right.shape), 'i32', () => backend[name](left, right)),
        ),
      );
    };
  }

  /** Checks both; a number takes the dtype of the tensor beside it. */
  function commonDType(name: string, a: TensorLike, b: TensorLike): DType {
    if (typeof a !== 'number') check(name, a);
    if (typeof b !== 'number') check(name, b);
    if (typeof a === 'number') return typeof b === 'number' ? 'f32' : b.dtype;
    if (typeof b !== 'number' && a.dtype !== b.dtype) throw dtypeMismatch(name, b, a.dtype);
    return a.dtype;
  }

  return {
    ...record(unaryNames, unary),
    ...record(binaryNames, binary),
    ...record(comparisonNames, comparison),

    where(condition, a, b) {
      check('where', condition, 'i32');
      const dtype = commonDType('where', a, b);
      return withTensor('where', a, dtype, (left) =>
        withTensor('where', b, dtype, (right) => {
          const shape = broadcastShapes('where', broadcastShapes('where', condition.shape, left.shape), right.shape);
          return result('where', shape, dtype, () => backend.where(condition, left, right));
        }),
      );
    },

    cast(x, dtype) {
      check('cast', x);
      if (x.dtype === dtype) return alias('cast', x);
      if (x.dtype === 'u8') throw dtypeMismatch('cast', x, 'f32 or i32');
      if (dtype !== 'f32' && dtype !== 'i32') {
        throw new LmdError('DTYPE_MISMATCH', `cast: dtype is ${describeValue(dtype)}.`, {
          subject: 'dtype',
          value: dtype,
          remedy: dtype === 'u8' ? `Use "f32" or "i32"; ${bytesRemedy}` : 'Use "f32" or "i32".',
        });
      }
      return result('cast', x.shape, dtype, () => backend.cast(x, dtype));
    },
  };
}

function record<Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}
