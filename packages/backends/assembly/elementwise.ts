// Elementwise kernels. The flat ones do the elements `from` (a multiple of 16) to `to` in whole vectors: a tensor's
// block has room for that.

import { BinaryOperation as Binary, UnaryOperation as Unary } from '../src/cpu/wasm/numbers';
import { signOf, storeFirst } from './arithmetic';
import { errorFunction } from './error-function';
import { exponential } from './exponential';
import { hyperbolicTangent, logarithm } from './logarithm';

/** To BF16 (nearest, ties to even) and back; a NaN stays one. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function toBfloat16(x: v128): v128 {
  const last = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(x, i32x4.add(last, i32x4.splat(0x7fff)));
  const kept = v128.and(rounded, i32x4.splat(<i32>0xffff0000));
  return v128.bitselect(kept, f32x4.splat(NaN), f32x4.eq(x, x));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function unaryOf(operation: i32, x: v128): v128 {
  if (operation == Unary.negate) return f32x4.neg(x);
  if (operation == Unary.absolute) return f32x4.abs(x);
  if (operation == Unary.sign) return signOf(x);
  if (operation == Unary.exp) return exponential(x);
  if (operation == Unary.log) return logarithm(x);
  if (operation == Unary.sqrt) return f32x4.sqrt(x);
  if (operation == Unary.tanh) return hyperbolicTangent(x);
  if (operation == Unary.erf) return errorFunction(x);
  if (operation == Unary.round) return f32x4.nearest(x);
  if (operation == Unary.bfloat16) return toBfloat16(x);
  if (operation == Unary.toInteger) return i32x4.trunc_sat_f32x4_s(x);
  return f32x4.convert_i32x4_s(x);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function unaryLoop(operation: i32, x: usize, out: usize, end: usize): void {
  for (; x < end; x += 16, out += 16) v128.store(out, unaryOf(operation, v128.load(x)));
}

/** α·x + β·y of the elements `from` (a multiple of 16) to `to`. Products are rounded: it has the bits of `binary`. */
export function weightedSum(from: i32, to: i32, x: usize, y: usize, out: usize, alpha: f32, beta: f32): void {
  const scaleX = f32x4.splat(alpha);
  const scaleY = f32x4.splat(beta);
  const end = (<usize>to) << 2;
  for (let at = (<usize>from) << 2; at < end; at += 16) {
    const left = f32x4.mul(scaleX, v128.load(x + at));
    v128.store(out + at, f32x4.add(left, f32x4.mul(scaleY, v128.load(y + at))));
  }
}

/** A `UnaryOperation` of the elements `from` (a multiple of 16) to `to`. */
export function unary(from: i32, to: i32, operation: i32, x: usize, out: usize): void {
  const end = x + ((<usize>to) << 2);
  x += (<usize>from) << 2;
  out += (<usize>from) << 2;
  switch (operation) {
    case Unary.negate:
      return unaryLoop(Unary.negate, x, out, end);
    case Unary.absolute:
      return unaryLoop(Unary.absolute, x, out, end);
    case Unary.sign:
      return unaryLoop(Unary.sign, x, out, end);
    case Unary.exp:
      return unaryLoop(Unary.exp, x, out, end);
    case Unary.log:
      return unaryLoop(Unary.log, x, out, end);
    case Unary.sqrt:
      return unaryLoop(Unary.sqrt, x, out, end);
    case Unary.tanh:
      return unaryLoop(Unary.tanh, x, out, end);
    case Unary.erf:
      return unaryLoop(Unary.erf, x, out, end);
    case Unary.round:
      return unaryLoop(Unary.round, x, out, end);
    case Unary.bfloat16:
      return unaryLoop(Unary.bfloat16, x, out, end);
    case Unary.toInteger:
      return unaryLoop(Unary.toInteger, x, out, end);
    default:
      return unaryLoop(Unary.toFloat, x, out, end);
  }
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function binaryOf(operation: i32, a: v128, b: v128): v128 {
  if (operation == Binary.add) return f32x4.add(a, b);
  if (operation == Binary.subtract) return f32x4.sub(a, b);
  if (operation == Binary.multiply) return f32x4.mul(a, b);
  if (operation == Binary.divide) return f32x4.div(a, b);
  if (operation == Binary.maximum) return f32x4.max(a, b);
  if (operation == Binary.minimum) return f32x4.min(a, b);
  const one = i32x4.splat(1);
  if (operation == Binary.equal) return v128.and(f32x4.eq(a, b), one);
  if (operation == Binary.greater) return v128.and(f32x4.gt(a, b), one);
  if (operation == Binary.less) return v128.and(f32x4.lt(a, b), one);
  if (operation == Binary.equalIntegers) return v128.and(i32x4.eq(a, b), one);
  if (operation == Binary.greaterIntegers) return v128.and(i32x4.gt_s(a, b), one);
  return v128.and(i32x4.lt_s(a, b), one);
}

/** One value repeated (step 0) or four in a row (step 1). */
// @ts-ignore: decorators are AssemblyScript's
@inline
function loadStep(at: usize, step: i32): v128 {
  return step == 0 ? v128.load32_splat(at) : v128.load(at);
}

/** A row of `width` results. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function binaryRow(operation: i32, a: usize, stepA: i32, b: usize, stepB: i32, out: usize, width: i32): void {
  const end = out + ((<usize>(width & ~3)) << 2);
  const rest = width & 3;
  if (stepA == 1 && stepB == 1) {
    for (; out < end; out += 16, a += 16, b += 16) v128.store(out, binaryOf(operation, v128.load(a), v128.load(b)));
  } else {
    const advanceA = (<usize>stepA) << 4;
    const advanceB = (<usize>stepB) << 4;
    for (; out < end; out += 16, a += advanceA, b += advanceB) {
      v128.store(out, binaryOf(operation, loadStep(a, stepA), loadStep(b, stepB)));
    }
  }
  if (rest > 0) storeFirst(out, binaryOf(operation, loadStep(a, stepA), loadStep(b, stepB)), rest);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function binaryLoop(
  operation: i32,
  from: i32,
  to: i32,
  a: usize,
  b: usize,
  out: usize,
  width: i32,
  e1: i32,
  e2: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  stepA: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  stepB: i32,
): void {
  if (width == 0) {
    const at = (<usize>from) << 2;
    binaryRow(operation, a + at * <usize>stepA, stepA, b + at * <usize>stepB, stepB, out + at, to - from);
    return;
  }
  const bytes = (<usize>width) << 2;
  for (let row = from; row < to; ) {
    const k = row % e2;
    const j = row / e2;
    const end = min(to, row + e2 - k);
    let p = a + ((<usize>((j / e1) * a0 + (j % e1) * a1 + k * a2)) << 2);
    let q = b + ((<usize>((j / e1) * b0 + (j % e1) * b1 + k * b2)) << 2);
    for (; row < end; row++, p += (<usize>a2) << 2, q += (<usize>b2) << 2) {
      binaryRow(operation, p, stepA, q, stepB, out + <usize>row * bytes, width);
    }
  }
}

/**
 * A `BinaryOperation` for the rows `from` to `to` of `width` results, counted over three outer axes of extents e (the
 * first is not needed); operands have the strides a0, a1, a2 along them, in elements, and step 0 or 1 within a row.
 * Where `width` is 0, all is one row, and `from` and `to` are elements of it.
 */
export function binary(
  from: i32,
  to: i32,
  operation: i32,
  a: usize,
  b: usize,
  out: usize,
  width: i32,
  e1: i32,
  e2: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  stepA: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  stepB: i32,
): void {
  switch (operation) {
    case Binary.add:
      return binaryLoop(Binary.add, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.subtract:
      return binaryLoop(Binary.subtract, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.multiply:
      return binaryLoop(Binary.multiply, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.divide:
      return binaryLoop(Binary.divide, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.maximum:
      return binaryLoop(Binary.maximum, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.minimum:
      return binaryLoop(Binary.minimum, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.equal:
      return binaryLoop(Binary.equal, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.greater:
      return binaryLoop(Binary.greater, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.less:
      return binaryLoop(Binary.less, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.equalIntegers:
      return binaryLoop(Binary.equalIntegers, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case Binary.greaterIntegers:
      return binaryLoop(
        Binary.greaterIntegers,
        from,
        to,
        a,
        b,
        out,
        width,
        e1,
        e2,
        a0,
        a1,
        a2,
        stepA,
        b0,
        b1,
        b2,
        stepB,
      );
    default:
      return binaryLoop(Binary.lessIntegers, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
  }
}

/**
 * a where the condition is not 0, else b, each with step 0 (one value for all) or 1: the elements `from` (a multiple of
 * 16) to `to`.
 */
export function select(
  from: i32,
  to: i32,
  condition: usize,
  stepCondition: i32,
  a: usize,
  stepA: i32,
  b: usize,
  stepB: i32,
  out: usize,
): void {
  const start = (<usize>from) << 2;
  const end = out + ((<usize>to) << 2);
  condition += start * <usize>stepCondition;
  a += start * <usize>stepA;
  b += start * <usize>stepB;
  const zero = i32x4.splat(0);
  for (out += start; out < end; out += 16) {
    const other = i32x4.eq(loadStep(condition, stepCondition), zero);
    v128.store(out, v128.bitselect(loadStep(b, stepB), loadStep(a, stepA), other));
    condition += (<usize>stepCondition) << 4;
    a += (<usize>stepA) << 4;
    b += (<usize>stepB) << 4;
  }
}
