// Elementwise kernels. The flat ones do the elements `from` (a multiple of 16) to `to` in whole vectors: a tensor's block has room for
// that.

import { signOf, storeFirst } from './arithmetic';
import { errorFunction } from './error-function';
import { exponential } from './exponential';
import { hyperbolicTangent, logarithm } from './logarithm';

const NEGATE: i32 = 0;
const ABSOLUTE: i32 = 1;
const SIGN: i32 = 2;
const EXP: i32 = 3;
const LOG: i32 = 4;
const SQRT: i32 = 5;
const TANH: i32 = 6;
const ERF: i32 = 7;
const ROUND: i32 = 8;
const BFLOAT16: i32 = 9;
// Conversions: from f32 toward zero, saturating, NaN to 0; of i32 to the nearest f32.
const TO_INTEGER: i32 = 10;
const TO_BYTE: i32 = 11;
const INTEGER_TO_BYTE: i32 = 12;
const TO_FLOAT: i32 = 13;

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
function toByte(x: v128): v128 {
  return i32x4.min_s(i32x4.max_s(x, i32x4.splat(0)), i32x4.splat(255));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function unaryOf(operation: i32, x: v128): v128 {
  if (operation == NEGATE) return f32x4.neg(x);
  if (operation == ABSOLUTE) return f32x4.abs(x);
  if (operation == SIGN) return signOf(x);
  if (operation == EXP) return exponential(x);
  if (operation == LOG) return logarithm(x);
  if (operation == SQRT) return f32x4.sqrt(x);
  if (operation == TANH) return hyperbolicTangent(x);
  if (operation == ERF) return errorFunction(x);
  if (operation == ROUND) return f32x4.nearest(x);
  if (operation == BFLOAT16) return toBfloat16(x);
  if (operation == TO_INTEGER) return i32x4.trunc_sat_f32x4_s(x);
  if (operation == TO_BYTE) return toByte(i32x4.trunc_sat_f32x4_s(x));
  if (operation == INTEGER_TO_BYTE) return toByte(x);
  return f32x4.convert_i32x4_s(x);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function unaryLoop(operation: i32, x: usize, out: usize, end: usize): void {
  for (; x < end; x += 16, out += 16) v128.store(out, unaryOf(operation, v128.load(x)));
}

/** The operation is one of the numbers above. */
export function unary(from: i32, to: i32, operation: i32, x: usize, out: usize): void {
  const end = x + (<usize>to << 2);
  x += <usize>from << 2;
  out += <usize>from << 2;
  switch (operation) {
    case NEGATE:
      return unaryLoop(NEGATE, x, out, end);
    case ABSOLUTE:
      return unaryLoop(ABSOLUTE, x, out, end);
    case SIGN:
      return unaryLoop(SIGN, x, out, end);
    case EXP:
      return unaryLoop(EXP, x, out, end);
    case LOG:
      return unaryLoop(LOG, x, out, end);
    case SQRT:
      return unaryLoop(SQRT, x, out, end);
    case TANH:
      return unaryLoop(TANH, x, out, end);
    case ERF:
      return unaryLoop(ERF, x, out, end);
    case ROUND:
      return unaryLoop(ROUND, x, out, end);
    case BFLOAT16:
      return unaryLoop(BFLOAT16, x, out, end);
    case TO_INTEGER:
      return unaryLoop(TO_INTEGER, x, out, end);
    case TO_BYTE:
      return unaryLoop(TO_BYTE, x, out, end);
    case INTEGER_TO_BYTE:
      return unaryLoop(INTEGER_TO_BYTE, x, out, end);
    default:
      return unaryLoop(TO_FLOAT, x, out, end);
  }
}

const ADD: i32 = 0;
const SUBTRACT: i32 = 1;
const MULTIPLY: i32 = 2;
const DIVIDE: i32 = 3;
const MAXIMUM: i32 = 4;
const MINIMUM: i32 = 5;
// Comparisons give 1 or 0.
const EQUAL: i32 = 6;
const GREATER: i32 = 7;
const LESS: i32 = 8;
const EQUAL_INTEGERS: i32 = 9;
const GREATER_INTEGERS: i32 = 10;
const LESS_INTEGERS: i32 = 11;

// @ts-ignore: decorators are AssemblyScript's
@inline
function binaryOf(operation: i32, a: v128, b: v128): v128 {
  if (operation == ADD) return f32x4.add(a, b);
  if (operation == SUBTRACT) return f32x4.sub(a, b);
  if (operation == MULTIPLY) return f32x4.mul(a, b);
  if (operation == DIVIDE) return f32x4.div(a, b);
  if (operation == MAXIMUM) return f32x4.max(a, b);
  if (operation == MINIMUM) return f32x4.min(a, b);
  const one = i32x4.splat(1);
  if (operation == EQUAL) return v128.and(f32x4.eq(a, b), one);
  if (operation == GREATER) return v128.and(f32x4.gt(a, b), one);
  if (operation == LESS) return v128.and(f32x4.lt(a, b), one);
  if (operation == EQUAL_INTEGERS) return v128.and(i32x4.eq(a, b), one);
  if (operation == GREATER_INTEGERS) return v128.and(i32x4.gt_s(a, b), one);
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
  const end = out + (<usize>(width & ~3) << 2);
  const rest = width & 3;
  if (stepA == 1 && stepB == 1) {
    for (; out < end; out += 16, a += 16, b += 16) v128.store(out, binaryOf(operation, v128.load(a), v128.load(b)));
  } else {
    const advanceA = <usize>stepA << 4;
    const advanceB = <usize>stepB << 4;
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
    const at = <usize>from << 2;
    binaryRow(operation, a + at * <usize>stepA, stepA, b + at * <usize>stepB, stepB, out + at, to - from);
    return;
  }
  const bytes = <usize>width << 2;
  for (let row = from; row < to; ) {
    const k = row % e2;
    const j = row / e2;
    const end = min(to, row + e2 - k);
    let p = a + (<usize>((j / e1) * a0 + (j % e1) * a1 + k * a2) << 2);
    let q = b + (<usize>((j / e1) * b0 + (j % e1) * b1 + k * b2) << 2);
    for (; row < end; row++, p += <usize>a2 << 2, q += <usize>b2 << 2) {
      binaryRow(operation, p, stepA, q, stepB, out + <usize>row * bytes, width);
    }
  }
}

/**
 * The rows `from` to `to` of `width` results, counted over three outer axes of extents e (the first is not needed); operands have the
 * strides a0, a1, a2 along them, in elements, and step 0 or 1 within a row. Where `width` is 0, all is one row, and `from` and `to`
 * are elements of it.
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
    case ADD:
      return binaryLoop(ADD, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case SUBTRACT:
      return binaryLoop(SUBTRACT, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case MULTIPLY:
      return binaryLoop(MULTIPLY, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case DIVIDE:
      return binaryLoop(DIVIDE, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case MAXIMUM:
      return binaryLoop(MAXIMUM, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case MINIMUM:
      return binaryLoop(MINIMUM, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case EQUAL:
      return binaryLoop(EQUAL, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case GREATER:
      return binaryLoop(GREATER, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case LESS:
      return binaryLoop(LESS, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case EQUAL_INTEGERS:
      return binaryLoop(EQUAL_INTEGERS, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    case GREATER_INTEGERS:
      return binaryLoop(GREATER_INTEGERS, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
    default:
      return binaryLoop(LESS_INTEGERS, from, to, a, b, out, width, e1, e2, a0, a1, a2, stepA, b0, b1, b2, stepB);
  }
}

/** a where the condition is not 0, else b, each with step 0 (one value for all) or 1. */
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
  const start = <usize>from << 2;
  const end = out + (<usize>to << 2);
  condition += start * <usize>stepCondition;
  a += start * <usize>stepA;
  b += start * <usize>stepB;
  const zero = i32x4.splat(0);
  for (out += start; out < end; out += 16) {
    const other = i32x4.eq(loadStep(condition, stepCondition), zero);
    v128.store(out, v128.bitselect(loadStep(b, stepB), loadStep(a, stepA), other));
    condition += <usize>stepCondition << 4;
    a += <usize>stepA << 4;
    b += <usize>stepB << 4;
  }
}
