import type { BinaryName, ComparisonName, UnaryName } from '@lmd/core';
import { broadcastStrides, stridesOf } from '../strided-offsets.js';
import { errorFunction } from './error-function.js';
import { exponential, hyperbolicTangent } from './exponential.js';
import { coalesce, forEachRow, type HostArray } from './strided.js';

/**
 * To the nearest integer, ties to the even one. Adding and taking away 1.5·2^52 rounds in the adder, as IEEE 754
 * defines.
 */
function roundHalfEven(x: number): number {
  if (!(Math.abs(x) < 2 ** 51)) return x;
  const rounded = x + 6755399441055744 - 6755399441055744;
  // The sum loses the sign of a zero result.
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}

// Each loop is a function of its own, so that V8 compiles it for one operation and inlines that.
const unaryLoops: Readonly<Record<UnaryName, (x: Float32Array, out: Float32Array) => void>> = {
  negate(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = -x[i]!;
  },
  absolute(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = Math.abs(x[i]!);
  },
  sign(x, out) {
    for (let i = 0; i < x.length; i++) {
      const value = x[i]!;
      // The last branch keeps NaN and the sign of zero.
      out[i] = value > 0 ? 1 : value < 0 ? -1 : value;
    }
  },
  exp(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = exponential(x[i]!);
  },
  log(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = Math.log(x[i]!);
  },
  sqrt(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = Math.sqrt(x[i]!);
  },
  tanh(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = hyperbolicTangent(x[i]!);
  },
  erf(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = errorFunction(x[i]!);
  },
  round(x, out) {
    for (let i = 0; i < x.length; i++) out[i] = roundHalfEven(x[i]!);
  },
};

export function unary(name: UnaryName, x: Float32Array, out: Float32Array): void {
  unaryLoops[name](x, out);
}

/** One row: the results `start` to `end` from `a` and `b` at their offsets, each with step 0 (repeated) or 1. */
type RowLoop<Values, Results> = (
  a: Values,
  offsetA: number,
  stepA: number,
  b: Values,
  offsetB: number,
  stepB: number,
  out: Results,
  start: number,
  end: number,
) => void;

const binaryRows: Readonly<Record<BinaryName, RowLoop<Float32Array, Float32Array>>> = {
  add(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! + b[j]!;
  },
  subtract(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! - b[j]!;
  },
  multiply(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! * b[j]!;
  },
  divide(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = a[i]! / b[j]!;
  },
  // Math.max and Math.min return NaN beside a NaN.
  maximum(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = Math.max(a[i]!, b[j]!);
  },
  minimum(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = Math.min(a[i]!, b[j]!);
  },
};

// Number(…) compiles without a jump: three times as fast as `? 1 : 0` on mixed data.
const comparisonRows: Readonly<Record<ComparisonName, RowLoop<HostArray, Int32Array>>> = {
  equal(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = Number(a[i]! === b[j]!);
  },
  greater(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = Number(a[i]! > b[j]!);
  },
  less(a, i, stepA, b, j, stepB, out, start, end) {
    for (let o = start; o < end; o++, i += stepA, j += stepB) out[o] = Number(a[i]! < b[j]!);
  },
};

/** A view and its shape. */
export interface Shaped<Values> {
  readonly values: Values;
  readonly shape: readonly number[];
}

export function binary(
  name: BinaryName,
  a: Shaped<Float32Array>,
  b: Shaped<Float32Array>,
  shape: readonly number[],
  out: Float32Array,
): void {
  pairwise(binaryRows[name], a, b, shape, out);
}

export function comparison(
  name: ComparisonName,
  a: Shaped<HostArray>,
  b: Shaped<HostArray>,
  shape: readonly number[],
  out: Int32Array,
): void {
  pairwise(comparisonRows[name], a, b, shape, out);
}

function pairwise<Values extends HostArray, Results extends HostArray>(
  row: RowLoop<Values, Results>,
  a: Shaped<Values>,
  b: Shaped<Values>,
  shape: readonly number[],
  out: Results,
): void {
  const walk = coalesce({
    extents: shape,
    strides: [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape), stridesOf(shape)],
  });
  const n = walk.extents.at(-1)!;
  const stepA = walk.strides[0]!.at(-1)!;
  const stepB = walk.strides[1]!.at(-1)!;
  forEachRow(walk, (offsetA, offsetB, offset) => {
    row(a.values, offsetA, stepA, b.values, offsetB, stepB, out, offset, offset + n);
  });
}

/**
 * `out` = a where `condition` is not 0, else b, all three of the shape of `out`: nothing is computed, so no NaN leaks.
 */
export function select(condition: Int32Array, a: HostArray, b: HostArray, out: HostArray): void {
  for (let i = 0; i < out.length; i++) out[i] = condition[i]! !== 0 ? a[i]! : b[i]!;
}

/** Truncates toward zero; beyond int32 saturates, NaN gives 0. */
export function truncate(x: Float32Array, out: Int32Array): void {
  for (let i = 0; i < x.length; i++) out[i] = Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), Math.trunc(x[i]!)));
}
