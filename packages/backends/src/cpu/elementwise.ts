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
import { BinaryOperation, UnaryOperation } from './wasm/numbers.js';

/** Nanoseconds an element, in memory: see `Split`. */
const plainCost = 0.5;
const functionCost = 1;

type Elementwise = Pick<Primitives, UnaryName | BinaryName | ComparisonName | 'where' | 'cast'>;

/** Rounds to BF16 and back, which is no primitive. */
export function bfloat16(host: MemoryHost, x: FloatTensor): FloatTensor {
  return unary(host, UnaryOperation.bfloat16, x, 'f32');
}

function unary<Type extends DType>(host: MemoryHost, operation: UnaryOperation, x: Tensor, dtype: Type): Tensor<Type> {
  return host.make(x.shape, dtype, (out) => {
    const split = { total: sizeOf(x.shape), unit: 16, cost: functionCost };
    host.run('unary', split, { operation, x: host.address(x), out: host.address(out) });
  });
}

function cast<Type extends 'f32' | 'i32'>(host: MemoryHost, x: Tensor, dtype: Type): Tensor<Type> {
  if (x.dtype === dtype) return host.store.share(x, x.shape, dtype);
  return unary(host, dtype === 'f32' ? UnaryOperation.toFloat : UnaryOperation.toInteger, x, dtype);
}

/** Rows of a result, and strides of both operands, for at most three axes around a row. */
function binary<Type extends DType>(
  host: MemoryHost,
  operation: BinaryOperation,
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
    // The kernel loops over fewer axes: broadcast both operands first.
    const [left, right] = [host.broadcast(a, shape), host.broadcast(b, shape)];
    const result = binary(host, operation, dtype, left, right);
    for (const x of [left, right]) host.store.free(x);
    return result;
  }
  return host.make(shape, dtype, (out) => {
    const total = sizeOf(shape);
    if (total === 0) return;
    const [stridesA, stridesB] = walk.strides as [number[], number[]];
    const width = walk.extents[last]!;
    const outer = (own: readonly number[], place: number, missing: number) => own[last - place] ?? missing;
    const flat = last === 0;
    const split = flat ? { total, unit: 16, cost: plainCost } : { total: total / width, cost: 2 + plainCost * width };
    run('binary', split, {
      operation,
      a: address(a),
      b: address(b),
      out: address(out),
      width: flat ? 0 : width,
      e1: outer(walk.extents, 2, 1),
      e2: outer(walk.extents, 1, 1),
      a0: outer(stridesA, 3, 0),
      a1: outer(stridesA, 2, 0),
      a2: outer(stridesA, 1, 0),
      stepA: stridesA[last]!,
      b0: outer(stridesB, 3, 0),
      b1: outer(stridesB, 2, 0),
      b2: outer(stridesB, 1, 0),
      stepB: stridesB[last]!,
    });
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
  // A scalar is read with step 0; other operands smaller than the result are broadcast first.
  const operandOf = (x: Tensor) => {
    const single = sizeOf(x.shape) === 1;
    return { tensor: single ? host.store.share(x, x.shape) : host.broadcast(x, shape), step: single ? 0 : 1 };
  };
  const [chosen, left, right] = [operandOf(condition), operandOf(a), operandOf(b)];
  const result = host.make(shape, a.dtype, (out) => {
    const split = { total, unit: 16, cost: plainCost };
    host.run('select', split, {
      condition: host.address(chosen.tensor),
      stepCondition: chosen.step,
      a: host.address(left.tensor),
      stepA: left.step,
      b: host.address(right.tensor),
      stepB: right.step,
      out: host.address(out),
    });
  });
  for (const { tensor } of [chosen, left, right]) host.store.free(tensor);
  return result;
}

export function cpuElementwise(host: MemoryHost): Elementwise {
  return {
    ...record(unaryNames, (name) => (x: Tensor) => unary(host, UnaryOperation[name], x, 'f32')),
    ...record(binaryNames, (name) => (a: Tensor, b: Tensor) => binary(host, BinaryOperation[name], 'f32', a, b)),
    ...record(comparisonNames, (name) => (a: Tensor, b: Tensor) => {
      const operation = a.dtype === 'f32' ? name : (`${name}Integers` as const);
      return binary(host, BinaryOperation[operation], 'i32', a, b);
    }),
    where: (condition, a, b) => where(host, condition, a, b),
    cast: (x, dtype) => cast(host, x, dtype),
  };
}
