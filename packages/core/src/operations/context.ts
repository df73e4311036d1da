import type { Backend } from '../backend.js';
import { describeValue, LmdError } from '../errors.js';

export { refuseUnknownOptions as checkOptions } from '../options/unknown-option.js';

import { type DType, sizeOf, type Tensor } from '../tensor.js';
import { Lifetimes } from './lifetimes.js';
import { formatShape, type Shape } from './shapes.js';

/** What the groups of operations share. */
export interface Context {
  readonly backend: Backend;
  readonly lifetimes: Lifetimes;
  /** Tracks a tensor that the backend made. */
  track<T extends Tensor>(operation: string, x: T): T;
  /** Throws unless `x` is a live tensor of these operations, of a dtype among `allowed` if they are given. */
  readonly check: Check;
  /** Number of elements; throws `UNSUPPORTED` if one tensor cannot hold them here. */
  size(operation: string, shape: Shape): number;
  /** A constant, for results that need no computation: those without elements, and sums of nothing. */
  constant<Type extends DType>(operation: string, shape: Shape, value: number, dtype: Type): Tensor<Type>;
  /** A new handle with the contents of `x`. */
  alias<Type extends DType>(operation: string, x: Tensor<Type>): Tensor<Type>;
  /**
   * Runs `body` on a scalar handle of `x`, freed at once if it was a number. A number takes the dtype of its neighbour.
   */
  withTensor<Type extends DType, Result>(
    operation: string,
    x: Tensor<Type> | number,
    dtype: Type,
    body: (x: Tensor<Type>) => Result,
  ): Result;
}

/** Narrows the dtype for the compiler, which kernels require. */
export interface Check {
  <Type extends DType>(operation: string, x: Tensor, allowed: readonly Type[]): asserts x is Tensor<Type>;
  (operation: string, x: Tensor): void;
}

/** The dtypes of the fused kernels' arguments, which `FusedKernels` states as types. */
export const floats = ['f32'] as const;
export const integers = ['i32'] as const;

export function createContext(backend: Backend): Context {
  const lifetimes = new Lifetimes(backend);
  const { maxElements } = backend.supports;
  const track = <T extends Tensor>(operation: string, x: T): T => lifetimes.track(operation, x);

  return {
    backend,
    lifetimes,
    track,
    check(operation: string, x: Tensor, allowed?: readonly DType[]) {
      lifetimes.check(operation, x);
      if (allowed !== undefined && !allowed.includes(x.dtype)) throw dtypeMismatch(operation, x, allowed.join(' or '));
    },
    size(operation, shape) {
      const size = sizeOf(shape);
      if (size <= maxElements) return size;
      throw new LmdError('UNSUPPORTED', `${operation}: shape ${formatShape(shape)} has ${size} elements.`, {
        subject: operation,
        value: shape,
        remedy: `Backend "${backend.name}" holds at most ${maxElements} in one tensor.`,
      });
    },
    constant: (operation, shape, value, dtype) => track(operation, backend.full(shape, value, dtype)),
    alias: (operation, x) => track(operation, backend.reshape(x, x.shape)),
    withTensor(operation, x, dtype, body) {
      if (typeof x !== 'number') return body(x);
      checkNumber(operation, x, dtype);
      // Not visible to the caller, so the backend's handle is not tracked.
      const scalar = backend.full([], x, dtype);
      try {
        return body(scalar);
      } finally {
        backend.dispose(scalar);
      }
    },
  };
}

const ranges = { i32: [-(2 ** 31), 2 ** 31 - 1], u8: [0, 255] } as const;

/** Throws unless `value` is a number that `dtype` holds; f32 takes any, rounded. */
export function checkNumber(operation: string, value: number, dtype: DType): void {
  if (typeof value === 'number') {
    if (dtype === 'f32') return;
    const [lowest, highest] = ranges[dtype];
    if (Number.isInteger(value) && value >= lowest && value <= highest) return;
  }
  throw new LmdError('INVALID_ARGUMENT', `${operation}: ${describeValue(value)} is not a value of dtype ${dtype}.`, {
    subject: operation,
    value,
    remedy: dtype === 'f32' ? 'Use a number.' : `Use an integer from ${ranges[dtype][0]} to ${ranges[dtype][1]}.`,
  });
}

/** There is no `cast` from u8 or to it. */
export const bytesRemedy = 'bytes are converted by read() and fromData().';

export function dtypeMismatch(operation: string, x: Tensor, expected: string): LmdError {
  const article = expected.startsWith('u') ? 'a' : 'an';
  return new LmdError(
    'DTYPE_MISMATCH',
    `${operation}: expected ${article} ${expected} tensor, got ${x.dtype} ${formatShape(x.shape)}.`,
    {
      subject: operation,
      value: x.dtype,
      remedy:
        x.dtype === 'u8' || expected === 'u8' ? `No operation converts u8: ${bytesRemedy}` : 'Convert it with cast().',
    },
  );
}

export function checkDType(operation: string, dtype: DType): void {
  if (dtype === 'f32' || dtype === 'i32' || dtype === 'u8') return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: dtype is ${describeValue(dtype)}.`, {
    subject: 'dtype',
    value: dtype,
    remedy: 'Use "f32", "i32" or "u8".',
  });
}

/** Throws unless `value` is one of `allowed`. */
export function checkChoice(operation: string, name: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy: `Use ${allowed.map((choice) => JSON.stringify(choice)).join(', ')}.`,
  });
}

/** Throws unless `value` is true or false. */
export function checkFlag(operation: string, name: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy: 'Use true or false.',
  });
}

/** Throws unless `value` is a record: what a state is made of. */
export function checkRecord(operation: string, name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy: 'Pass a record of tensors.',
  });
}

/** Throws unless `value` is a finite number, and at least `lowest` if one is given. */
export function checkFinite(operation: string, name: string, value: number, lowest = -Infinity): void {
  if (Number.isFinite(value) && value >= lowest) return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy: lowest === -Infinity ? 'Use a finite number.' : `Use a finite number of at least ${lowest}.`,
  });
}
