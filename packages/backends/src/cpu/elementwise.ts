import {
  type BinaryName,
  binaryNames,
  type ComparisonName,
  comparisonNames,
  type DType,
  type FloatTensor,
  type Primitives,
  sizeOf,
  type Tensor,
  type UnaryName,
  unaryNames,
} from '@lmd/core';
import { coalesce } from '../host-kernels/strided.js';
import { record } from '../record.js';
import { broadcastShape, broadcastStrides, sameShape, stridesOf } from '../strided-offsets.js';
import type { MemoryHost } from './memory-host.js';

/** Numbers of the operations in `assembly/elementwise.ts`. */
const unaryNumbers: Readonly<Record<UnaryName, number>> = {
  negate: 0,
  absolute: 1,
  sign: 2,
  exp: 3,
  log: 4,
  sqrt: 5,
  tanh: 6,
  erf: 7,
  round: 8,
};
const bfloat16Number = 9;
const conversionNumbers = { toInteger: 10, toByte: 11, integerToByte: 12, toFloat: 13 } as const;
const binaryNumbers: Readonly<Record<BinaryName, number>> = {
  add: 0,
  subtract: 1,
  multiply: 2,
  divide: 3,
  maximum: 4,
  minimum: 5,
};
const comparisonNumbers: Readonly<Record<ComparisonName, number>> = { equal: 6, greater: 7, less: 8 };
/** From a comparison of f32 to that of i32. */
const integersApart = 3;

/** Nanoseconds an element, in memory: see `Split`. */
const plainCost = 0.5;
const functionCost = 1;

type Elementwise = Pick<Primitives, UnaryName | BinaryName | ComparisonName | 'where' | 'cast'>;

/** Rounds to BF16 and back, which is no primitive. */
export function bfloat16(host: MemoryHost, x: FloatTensor): FloatTensor {
  return unary(host, bfloat16Number, x, 'f32');
}

function unary<Type extends DType>(host: MemoryHost, operation: number, x: Tensor, dtype: Type): Tensor<Type> {
  return host.make(x.shape, dtype, (out) => {
    const split = { total: sizeOf(x.shape), unit: 16, cost: functionCost };
    host.run('unary', split, operation, host.address(x), host.address(out));
  });
}

function cast<Type extends DType>(host: MemoryHost, x: Tensor, dtype: Type): Tensor<Type> {
  if (x.dtype === dtype || (dtype === 'i32' && x.dtype === 'u8')) return host.store.share(x, x.shape, dtype);
  const { toInteger, toByte, integerToByte, toFloat } = conversionNumbers;
  if (dtype === 'f32') return unary(host, toFloat, x, dtype);
  if (dtype === 'i32') return unary(host, toInteger, x, dtype);
  return unary(host, x.dtype === 'f32' ? toByte : integerToByte, x, dtype);
}

/** Rows of a result, and strides of both operands, for at most three axes around a row. */
function binary<Type extends DType>(
  host: MemoryHost,
  operation: number,
  dtype: Type,
  a: Tensor,
  b: Tensor,
): Tensor<Type> {
  const { run, address } = host;
  const shape = sameShape(a.shape, b.shape) ? a.shape : broadcastShape(a.shape, b.shape);
  const walk = coalesce({
    extents: shape,
    strides: [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape), stridesOf(shape)],
  });
  const last = walk.extents.length - 1;
  if (last > 3) {
    // More alternating axes than the kernel walks over: repeat both operands first.
    const [left, right] = [host.broadcast(a, shape), host.broadcast(b, shape)];
    const result = binary(host, operation, dtype, left, right);
    for (const x of [left, right]) host.store.free(x);
    return result;
  }
  return host.make(shape, dtype, (out) => {
    const total = sizeOf(shape);
    if (total === 0) return;
    const [stridesA, stridesB] = walk.strides as [number[], number[]];
    const [stepA, stepB] = [stridesA[last]!, stridesB[last]!];
    const width = walk.extents[last]!;
    const outer = (own: readonly number[], place: number, missing: number) => own[last - place] ?? missing;
    const flat = last === 0;
    const split = flat ? { total, unit: 16, cost: plainCost } : { total: total / width, cost: 2 + plainCost * width };
    run(
      'binary',
      split,
      operation,
      address(a),
      address(b),
      address(out),
      flat ? 0 : width,
      outer(walk.extents, 2, 1),
      outer(walk.extents, 1, 1),
      outer(stridesA, 3, 0),
      outer(stridesA, 2, 0),
      outer(stridesA, 1, 0),
      stepA,
      outer(stridesB, 3, 0),
      outer(stridesB, 2, 0),
      outer(stridesB, 1, 0),
      stepB,
    );
  });
}

function where<Type extends DType>(
  host: MemoryHost,
  condition: Tensor,
  a: Tensor<Type>,
  b: Tensor<NoInfer<Type>>,
): Tensor<Type> {
  const shape = broadcastShape(condition.shape, a.shape, b.shape);
  const total = sizeOf(shape);
  // A single value is read again and again; what else is smaller than the result is repeated first.
  const operands = [condition, a, b].map((x: Tensor) => {
    const single = sizeOf(x.shape) === 1;
    return { tensor: single ? host.store.share(x, x.shape) : host.broadcast(x, shape), step: single ? 0 : 1 };
  });
  const result = host.make(shape, a.dtype, (out) => {
    const rest = operands.flatMap(({ tensor, step }) => [host.address(tensor), step]);
    const split = { total, unit: 16, cost: plainCost };
    host.run('select', split, ...(rest as [number, number, number, number, number, number]), host.address(out));
  });
  for (const { tensor } of operands) host.store.free(tensor);
  return result;
}

export function cpuElementwise(host: MemoryHost): Elementwise {
  return {
    ...record(unaryNames, (name) => (x: Tensor) => unary(host, unaryNumbers[name], x, 'f32')),
    ...record(binaryNames, (name) => (a: Tensor, b: Tensor) => binary(host, binaryNumbers[name], 'f32', a, b)),
    ...record(comparisonNames, (name) => (a: Tensor, b: Tensor) => {
      const operation = comparisonNumbers[name] + (a.dtype === 'f32' ? 0 : integersApart);
      return binary(host, operation, 'i32', a, b);
    }),
    where: (condition, a, b) => where(host, condition, a, b),
    cast: (x, dtype) => cast(host, x, dtype),
  };
}
