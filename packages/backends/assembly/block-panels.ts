// Panels of encoded operands (see `BlockProductKernels` in @lmd/core): integers in the order in which the innermost
// loop of a product reads them, and the scale of each block. A step of that loop takes 4 bytes of each lane: 4 integers
// of 1 byte or 2 of 2.

import { OperandEntry } from '../src/cpu/wasm/tables';

/** Where the words of an operand are, in bytes. */
const CODES: usize = 4 * OperandEntry.codes;
export const SCALES: usize = 4 * OperandEntry.scales;
const ROWS: usize = 4 * OperandEntry.rows;
export const TERMS: usize = 4 * OperandEntry.terms;
export const BLOCK_SIZE: usize = 4 * OperandEntry.blockSize;
export const WIDE: usize = 4 * OperandEntry.wide;
export const FLOAT_SCALES: usize = 4 * OperandEntry.floatScales;
const SHARED: usize = 4 * OperandEntry.shared;
export const SHIFT: usize = 4 * OperandEntry.shift;
const OFFSET: usize = 4 * OperandEntry.offset;
const SUM_FACTOR: usize = 4 * OperandEntry.sumFactor;
export const OPERAND_BYTES: usize = 4 * OperandEntry.words;

/**
 * The exponents of the scales of the panel made last, between which products can tell that all terms are normal
 * numbers.
 */
export let leastExponent: i32 = 0;
export let largestExponent: i32 = 0;
const FAR: i32 = 100000;
/** E4M3 scales are multiples of 2^-9, up to 448. */
export const LEAST_E4M3: i32 = -9;
export const LARGEST_E4M3: i32 = 9;

/** Bytes of the scales, and of the starts, of one block of a panel: of 8 lanes. */
export const BLOCK_HEAD: usize = 32;

/** How a product cuts operands into blocks. */
export let blockSize: i32 = 0;
export let steps: i32 = 0;
let wide: bool = false;

export function configure(size: i32, wideIntegers: bool): void {
  blockSize = size;
  wide = wideIntegers;
  steps = wideIntegers ? (size + 1) >> 1 : (size + 3) >> 2;
}

// @ts-ignore: decorators are AssemblyScript's
@inline
export function paddedTerms(operand: usize): i32 {
  return (load<i32>(operand + TERMS) + 15) & ~15;
}

/** A row of the batch: the one asked for, or the last of its matrix. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function rowIndex(operand: usize, matrix: i32, row: i32): i32 {
  const rows = load<i32>(operand + ROWS);
  return min(row, rows - 1) + (load<i32>(operand + SHARED) != 0 ? 0 : matrix * rows);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
export function rowAddress(operand: usize, matrix: i32, row: i32): usize {
  const bytes = (<usize>paddedTerms(operand)) << load<i32>(operand + WIDE);
  return <usize>load<u32>(operand + CODES) + <usize>rowIndex(operand, matrix, row) * bytes;
}

/**
 * Four steps of four lanes, a lane a vector, put in the order of steps; and the sums of each lane's integers, which are
 * bytes, added.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
function turnFour(a: v128, b: v128, c: v128, d: v128, target: usize, stride: usize): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const AB = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const CD = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(target, i32x4.shuffle(ab, cd, 0, 1, 4, 5));
  v128.store(target + stride, i32x4.shuffle(ab, cd, 2, 3, 6, 7));
  v128.store(target + 2 * stride, i32x4.shuffle(AB, CD, 0, 1, 4, 5));
  v128.store(target + 3 * stride, i32x4.shuffle(AB, CD, 2, 3, 6, 7));
}

/** The sum of 16 bytes with signs, in four parts. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function byteSums(x: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(x));
}

/** The sum of the lanes of each of four vectors. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return i32x4.add(i32x4.shuffle(ab, cd, 0, 1, 4, 5), i32x4.shuffle(ab, cd, 2, 3, 6, 7));
}

/** Four lanes of one block of 16·n elements, of which `units` sixteens are there. */
function packFour(
  operand: usize,
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  units: i32,
  target: usize,
  stride: usize,
  start: usize,
): void {
  const end = target + <usize>steps * stride;
  if (!wide) {
    const offset = i8x16.splat(<i8>load<i32>(operand + OFFSET));
    const factor = load<i32>(operand + SUM_FACTOR);
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let unit = 0; unit < units; unit++, r0 += 16, r1 += 16, r2 += 16, r3 += 16, target += 4 * stride) {
      const a = v128.load(r0);
      const b = v128.load(r1);
      const c = v128.load(r2);
      const d = v128.load(r3);
      if (factor != 0) {
        s0 = i32x4.add(s0, byteSums(a));
        s1 = i32x4.add(s1, byteSums(b));
        s2 = i32x4.add(s2, byteSums(c));
        s3 = i32x4.add(s3, byteSums(d));
        turnFour(a, b, c, d, target, stride);
      } else {
        turnFour(
          i8x16.add(a, offset),
          i8x16.add(b, offset),
          i8x16.add(c, offset),
          i8x16.add(d, offset),
          target,
          stride,
        );
      }
    }
    v128.store(start, i32x4.mul(laneSums(s0, s1, s2, s3), i32x4.splat(factor)));
  } else if (load<i32>(operand + WIDE) != 0) {
    for (let unit = 0; unit < 2 * units; unit++, r0 += 16, r1 += 16, r2 += 16, r3 += 16, target += 4 * stride) {
      turnFour(v128.load(r0), v128.load(r1), v128.load(r2), v128.load(r3), target, stride);
    }
  } else {
    for (let unit = 0; unit < 2 * units; unit++, r0 += 8, r1 += 8, r2 += 8, r3 += 8, target += 4 * stride) {
      turnFour(v128.load8x8_s(r0), v128.load8x8_s(r1), v128.load8x8_s(r2), v128.load8x8_s(r3), target, stride);
    }
  }
  for (; target < end; target += stride) v128.store(target, i32x4.splat(0));
}

/** One lane of one block of any size, of which `count` elements are there. */
function packOne(operand: usize, row: usize, count: i32, target: usize, stride: usize, start: usize): void {
  const sourceWide = load<i32>(operand + WIDE) != 0;
  const offset = load<i32>(operand + OFFSET);
  const end = target + <usize>steps * stride;
  let sum = 0;
  for (let i = 0; target < end; target += stride) {
    for (let at: usize = 0; at < 4; i++) {
      const integer = i >= count ? 0 : sourceWide ? <i32>load<i16>(row + ((<usize>i) << 1)) : <i32>load<i8>(row + i);
      sum += integer;
      if (wide) {
        store<i16>(target + at, <i16>integer);
        at += 2;
      } else {
        store<i8>(target + at, <i8>(integer + offset));
        at++;
      }
    }
  }
  store<i32>(start, sum * load<i32>(operand + SUM_FACTOR));
}

function allZero(row: usize, count: i32, sourceWide: bool): bool {
  for (let i = 0; i < count; i++) {
    if ((sourceWide ? <i32>load<i16>(row + ((<usize>i) << 1)) : <i32>load<i8>(row + i)) != 0) return false;
  }
  return true;
}

/**
 * The scale of block `block` of a row, times the operand's power of two. `codes` are the integers that it stands
 * before.
 */
function scaleOf(operand: usize, row: i32, block: i32, codes: usize, count: i32): f32 {
  const size = load<i32>(operand + BLOCK_SIZE);
  const each = (load<i32>(operand + TERMS) + size - 1) / size;
  const index = row * each + (block * blockSize) / size;
  const shift = load<i32>(operand + SHIFT);
  const factor = reinterpret<f32>((shift + 127) << 23);
  const scales = <usize>load<u32>(operand + SCALES);
  if (load<i32>(operand + FLOAT_SCALES) != 0) {
    leastExponent = min(leastExponent, LEAST_E4M3 + shift);
    largestExponent = max(largestExponent, LARGEST_E4M3 + shift);
    return load<f32>(scales + ((<usize>index) << 2)) * factor;
  }
  const byte = <i32>load<u8>(scales + index);
  if (byte == 255) return NaN;
  if (byte == 0) {
    // Usually a block of zeros, whose scale does not matter; else a scale so small that the exact path is needed.
    if (allZero(codes, count, load<i32>(operand + WIDE) != 0)) return 1;
    leastExponent = -FAR;
    return reinterpret<f32>(1 << 22) * factor;
  }
  leastExponent = min(leastExponent, byte - 127 + shift);
  largestExponent = max(largestExponent, byte - 127 + shift);
  return reinterpret<f32>(byte << 23) * factor;
}

/**
 * Packs the rows `row` to `row + width` of a matrix, 4 or 8, blocks `first` to `first + blocks`; rows that are not
 * there repeat the last. Codes go as [block, step, lane], 4 bytes each; scales (f32) and starts (i32) as [block, 8].
 */
export function packPanel(
  operand: usize,
  matrix: i32,
  row: i32,
  width: i32,
  first: i32,
  blocks: i32,
  target: usize,
  scales: usize,
  starts: usize,
): void {
  leastExponent = FAR;
  largestExponent = -FAR;
  const stride = (<usize>width) << 2;
  const terms = load<i32>(operand + TERMS);
  const shiftBytes = load<i32>(operand + WIDE);
  for (let i = 0; i < blocks; i++) {
    const term = (first + i) * blockSize;
    const at = (<usize>term) << shiftBytes;
    const count = min(blockSize, terms - term);
    const block = target + <usize>i * <usize>steps * stride;
    const head = <usize>i * BLOCK_HEAD;
    if ((blockSize & 15) == 0) {
      const units = (count + 15) >> 4;
      for (let lane = 0; lane < width; lane += 4) {
        packFour(
          operand,
          rowAddress(operand, matrix, row + lane) + at,
          rowAddress(operand, matrix, row + lane + 1) + at,
          rowAddress(operand, matrix, row + lane + 2) + at,
          rowAddress(operand, matrix, row + lane + 3) + at,
          units,
          block + ((<usize>lane) << 2),
          stride,
          starts + head + ((<usize>lane) << 2),
        );
      }
    } else {
      for (let lane = 0; lane < width; lane++) {
        const from = rowAddress(operand, matrix, row + lane) + at;
        packOne(operand, from, count, block + ((<usize>lane) << 2), stride, starts + head + ((<usize>lane) << 2));
      }
    }
    for (let lane = 0; lane < width; lane++) {
      const codes = rowAddress(operand, matrix, row + lane) + at;
      const scale = scaleOf(operand, rowIndex(operand, matrix, row + lane), first + i, codes, count);
      store<f32>(scales + head + ((<usize>lane) << 2), scale);
    }
  }
}
