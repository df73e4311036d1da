// Elementwise kernels. The flat ones work in whole vectors: a tensor's block has room for that.

import { signOf, storeFirst } from './arithmetic';
import { exponential } from './exponential';

const NEGATE: i32 = 0;
const ABSOLUTE: i32 = 1;
const SIGN: i32 = 2;
const EXP: i32 = 3;
const SQRT: i32 = 4;
const ROUND: i32 = 5;
const BFLOAT16: i32 = 6;

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
  if (operation == NEGATE) return f32x4.neg(x);
  if (operation == ABSOLUTE) return f32x4.abs(x);
  if (operation == SIGN) return signOf(x);
  if (operation == EXP) return exponential(x);
  if (operation == SQRT) return f32x4.sqrt(x);
  if (operation == ROUND) return f32x4.nearest(x);
  return toBfloat16(x);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function unaryLoop(operation: i32, x: usize, out: usize, count: i32): void {
  const end = x + (<usize>count << 2);
  for (; x < end; x += 16, out += 16) v128.store(out, unaryOf(operation, v128.load(x)));
}

/** The operation is one of the numbers above. */
export function unary(operation: i32, x: usize, out: usize, count: i32): void {
  switch (operation) {
    case NEGATE:
      return unaryLoop(NEGATE, x, out, count);
    case ABSOLUTE:
      return unaryLoop(ABSOLUTE, x, out, count);
    case SIGN:
      return unaryLoop(SIGN, x, out, count);
    case EXP:
      return unaryLoop(EXP, x, out, count);
    case SQRT:
      return unaryLoop(SQRT, x, out, count);
    case ROUND:
      return unaryLoop(ROUND, x, out, count);
    default:
      return unaryLoop(BFLOAT16, x, out, count);
  }
}

const ADD: i32 = 0;
const SUBTRACT: i32 = 1;
const MULTIPLY: i32 = 2;
const DIVIDE: i32 = 3;
const MAXIMUM: i32 = 4;
const MINIMUM: i32 = 5;

// @ts-ignore: decorators are AssemblyScript's
@inline
function binaryOf(operation: i32, a: v128, b: v128): v128 {
  if (operation == ADD) return f32x4.add(a, b);
  if (operation == SUBTRACT) return f32x4.sub(a, b);
  if (operation == MULTIPLY) return f32x4.mul(a, b);
  if (operation == DIVIDE) return f32x4.div(a, b);
  if (operation == MAXIMUM) return f32x4.max(a, b);
  return f32x4.min(a, b);
}

/** One value repeated (step 0) or four in a row (step 1). */
// @ts-ignore: decorators are AssemblyScript's
@inline
function loadStep(at: usize, step: i32): v128 {
  return step == 0 ? v128.load32_splat(at) : v128.load(at);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function binaryLoop(
  operation: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  width: i32,
  strideA: i32,
  stepA: i32,
  strideB: i32,
  stepB: i32,
): void {
  const advanceA = <usize>stepA << 4;
  const advanceB = <usize>stepB << 4;
  const bulk = <usize>(width & ~3) << 2;
  const rest = width & 3;
  for (let row = 0; row < rows; row++) {
    let p = a;
    let q = b;
    const end = out + bulk;
    if (stepA == 1 && stepB == 1) {
      for (; out < end; out += 16, p += 16, q += 16) v128.store(out, binaryOf(operation, v128.load(p), v128.load(q)));
    } else {
      for (; out < end; out += 16, p += advanceA, q += advanceB) {
        v128.store(out, binaryOf(operation, loadStep(p, stepA), loadStep(q, stepB)));
      }
    }
    if (rest > 0) {
      storeFirst(out, binaryOf(operation, loadStep(p, stepA), loadStep(q, stepB)), rest);
      out += <usize>rest << 2;
    }
    a += <usize>strideA << 2;
    b += <usize>strideB << 2;
  }
}

/** `rows` rows of `width` results; strides are elements between the rows of an operand, steps 0 or 1 within one. */
export function binary(
  operation: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  width: i32,
  strideA: i32,
  stepA: i32,
  strideB: i32,
  stepB: i32,
): void {
  switch (operation) {
    case ADD:
      return binaryLoop(ADD, a, b, out, rows, width, strideA, stepA, strideB, stepB);
    case SUBTRACT:
      return binaryLoop(SUBTRACT, a, b, out, rows, width, strideA, stepA, strideB, stepB);
    case MULTIPLY:
      return binaryLoop(MULTIPLY, a, b, out, rows, width, strideA, stepA, strideB, stepB);
    case DIVIDE:
      return binaryLoop(DIVIDE, a, b, out, rows, width, strideA, stepA, strideB, stepB);
    case MAXIMUM:
      return binaryLoop(MAXIMUM, a, b, out, rows, width, strideA, stepA, strideB, stepB);
    default:
      return binaryLoop(MINIMUM, a, b, out, rows, width, strideA, stepA, strideB, stepB);
  }
}
