// A row times a matrix, both encoded, as in generating text: each code of the matrix is read once, as it lies, and
// nothing of it is packed.

import { madd, storeFirst } from './arithmetic';
import {
  BLOCK_SIZE,
  blockSize,
  FLOAT_SCALES,
  LARGEST_E4M3,
  LEAST_E4M3,
  laneSums,
  paddedTerms,
  rowAddress,
  rowIndex,
  SCALES,
  SHIFT,
  TERMS,
  WIDE,
} from './block-panels';
import { EDGE, PACKED_A, PACKED_A_BYTES, PACKED_B, PACKED_B_BYTES } from './workspace';

/** 2^-126. */
export const SMALLEST_NORMAL: f64 = 1.1754943508222875e-38;

/**
 * Of each block of the row: its scale, and the range of scale bytes of the matrix for which the product needs no
 * care; where those are E4M3, `LOWEST` is `NEVER` or not.
 */
const FACTOR: usize = 0;
const LOWEST: usize = 4;
const HIGHEST: usize = 8;
const BLOCK_BYTES: usize = 12;
/** Larger than any byte. */
const NEVER: i32 = 256;

/** Whether `rowTimesCodes` takes these operands: their blocks are whole vectors, and the row fits the workspace. */
export function rowFits(a: usize): bool {
  const padded = <usize>paddedTerms(a);
  const room = padded << 1 <= PACKED_A_BYTES && (padded >> 4) * BLOCK_BYTES <= PACKED_B_BYTES;
  return (blockSize & 15) == 0 && room;
}

/** The address of the scales of a row. */
function scalesOf(operand: usize, row: i32): usize {
  const size = load<i32>(operand + BLOCK_SIZE);
  const blocks = (load<i32>(operand + TERMS) + size - 1) / size;
  const first = <usize>row * <usize>blocks;
  return <usize>load<u32>(operand + SCALES) + (load<i32>(operand + FLOAT_SCALES) != 0 ? first << 2 : first);
}

/** The f32 that a scale byte stands for. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function scaleOfByte(byte: i32): f32 {
  if (byte == 255) return <f32>NaN;
  return reinterpret<f32>(byte == 0 ? 1 << 22 : byte << 23);
}

/** The row's codes as 16-bit integers at `PACKED_A`, and its blocks at `PACKED_B`. */
function prepareRow(operand: usize, matrix: i32, row: i32, floatMatrix: bool): void {
  const from = rowAddress(operand, matrix, row);
  const padded = paddedTerms(operand);
  if (load<i32>(operand + WIDE) != 0) memory.copy(PACKED_A, from, (<usize>padded) << 1);
  else {
    for (let i: usize = 0; i < <usize>padded; i += 8) v128.store(PACKED_A + (i << 1), v128.load8x8_s(from + i));
  }
  const scales = scalesOf(operand, rowIndex(operand, matrix, row));
  const floats = load<i32>(operand + FLOAT_SCALES) != 0;
  const each = load<i32>(operand + BLOCK_SIZE) / blockSize;
  const shift = load<i32>(operand + SHIFT);
  const power = reinterpret<f32>((shift + 127) << 23);
  const blocks = (load<i32>(operand + TERMS) + blockSize - 1) / blockSize;
  for (let block = 0; block < blocks; block++) {
    const at = PACKED_B + <usize>block * BLOCK_BYTES;
    const place = <usize>(block / each);
    let least = LEAST_E4M3 + shift;
    let largest = LARGEST_E4M3 + shift;
    let plain = true;
    let scale: f32 = 0;
    if (floats) scale = load<f32>(scales + (place << 2));
    else {
      const byte = <i32>load<u8>(scales + place);
      scale = scaleOfByte(byte);
      plain = byte > 0 && byte < 255;
      least = byte - 127 + shift;
      largest = least;
    }
    if (floatMatrix) plain = plain && least + LEAST_E4M3 >= -126 && largest + LARGEST_E4M3 <= 103;
    store<f32>(at, scale * power, FACTOR);
    store<i32>(at, plain && least >= -126 ? max(1, 1 - least) : NEVER, LOWEST);
    store<i32>(at, min(230, 230 - largest), HIGHEST);
  }
}

/** Adds one block to four columns of these scales, number by number in float64. */
function addCarefully(y: v128, sums: v128, scales: v128, factor: f32): v128 {
  const at = EDGE + 64;
  v128.store(at, y);
  v128.store(at, sums, 16);
  v128.store(at, scales, 32);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const exact = <f64>load<i32>(at + lane, 16) * (<f64>factor * <f64>load<f32>(at + lane, 32));
    const term = abs(exact) < SMALLEST_NORMAL ? <f32>0 : <f32>exact;
    const next = load<f32>(at + lane) + term;
    store<f32>(at + lane, abs(next) < <f32>SMALLEST_NORMAL ? 0 : next);
  }
  return v128.load(at);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function addProducts(wide: bool, at: usize, a: v128, A: v128, sum: v128): v128 {
  const b = v128.load(at);
  const low = wide ? b : i16x8.extend_low_i8x16_s(b);
  const high = wide ? v128.load(at, 16) : i16x8.extend_high_i8x16_s(b);
  return i32x4.add(i32x4.add(sum, i32x4.dot_i16x8_s(low, a)), i32x4.dot_i16x8_s(high, A));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function fourColumns(
  wide: bool,
  floats: bool,
  b0: usize,
  b1: usize,
  b2: usize,
  b3: usize,
  s0: usize,
  s1: usize,
  s2: usize,
  s3: usize,
  terms: i32,
  padded: i32,
  each: i32,
): v128 {
  const step: usize = wide ? 32 : 16;
  let y = f32x4.splat(0);
  let a = PACKED_A;
  let known = PACKED_B;
  let at: usize = 0;
  for (let start = 0, block = 0; start < terms; start += blockSize, block++, known += BLOCK_BYTES) {
    let c0 = i32x4.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    const end = a + ((<usize>min(blockSize, padded - start)) << 1);
    for (; a < end; a += 32, at += step) {
      const low = v128.load(a);
      const high = v128.load(a, 16);
      c0 = addProducts(wide, b0 + at, low, high, c0);
      c1 = addProducts(wide, b1 + at, low, high, c1);
      c2 = addProducts(wide, b2 + at, low, high, c2);
      c3 = addProducts(wide, b3 + at, low, high, c3);
    }
    const sums = laneSums(c0, c1, c2, c3);
    const place = <usize>(block / each);
    if (floats) {
      let scales = v128.load32_splat(s0 + (place << 2));
      scales = f32x4.replace_lane(scales, 1, load<f32>(s1 + (place << 2)));
      scales = f32x4.replace_lane(scales, 2, load<f32>(s2 + (place << 2)));
      scales = f32x4.replace_lane(scales, 3, load<f32>(s3 + (place << 2)));
      if (load<i32>(known, LOWEST) == NEVER) y = addCarefully(y, sums, scales, load<f32>(known, FACTOR));
      else y = madd(f32x4.mul(f32x4.convert_i32x4_s(sums), scales), v128.load32_splat(known, FACTOR), y);
      continue;
    }
    let bytes = i32x4.splat(<i32>load<u8>(s0 + place));
    bytes = i32x4.replace_lane(bytes, 1, <i32>load<u8>(s1 + place));
    bytes = i32x4.replace_lane(bytes, 2, <i32>load<u8>(s2 + place));
    bytes = i32x4.replace_lane(bytes, 3, <i32>load<u8>(s3 + place));
    const below = i32x4.lt_s(bytes, v128.load32_splat(known, LOWEST));
    const above = i32x4.gt_s(bytes, v128.load32_splat(known, HIGHEST));
    if (v128.any_true(v128.or(below, above))) {
      const scales = f32x4(
        scaleOfByte(i32x4.extract_lane(bytes, 0)),
        scaleOfByte(i32x4.extract_lane(bytes, 1)),
        scaleOfByte(i32x4.extract_lane(bytes, 2)),
        scaleOfByte(i32x4.extract_lane(bytes, 3)),
      );
      y = addCarefully(y, sums, scales, load<f32>(known, FACTOR));
    } else {
      const scaled = f32x4.mul(f32x4.convert_i32x4_s(sums), i32x4.shl(bytes, 23));
      y = madd(scaled, v128.load32_splat(known, FACTOR), y);
    }
  }
  return y;
}

/** The columns `left` to `right` of row `row` of `a` · `b`ᵀ, at `out`. */
export function rowTimesCodes(a: usize, b: usize, matrix: i32, row: i32, left: i32, right: i32, out: usize): void {
  const wide = load<i32>(b + WIDE) != 0;
  const floats = load<i32>(b + FLOAT_SCALES) != 0;
  prepareRow(a, matrix, row, floats);
  const terms = load<i32>(b + TERMS);
  const padded = paddedTerms(b);
  const each = load<i32>(b + BLOCK_SIZE) / blockSize;
  for (let column = left; column < right; column += 4) {
    const last = right - 1;
    const i1 = min(column + 1, last);
    const i2 = min(column + 2, last);
    const i3 = min(column + 3, last);
    const b0 = rowAddress(b, matrix, column);
    const b1 = rowAddress(b, matrix, i1);
    const b2 = rowAddress(b, matrix, i2);
    const b3 = rowAddress(b, matrix, i3);
    const s0 = scalesOf(b, rowIndex(b, matrix, column));
    const s1 = scalesOf(b, rowIndex(b, matrix, i1));
    const s2 = scalesOf(b, rowIndex(b, matrix, i2));
    const s3 = scalesOf(b, rowIndex(b, matrix, i3));
    let y = f32x4.splat(0);
    if (floats && wide) y = fourColumns(true, true, b0, b1, b2, b3, s0, s1, s2, s3, terms, padded, each);
    else if (floats) y = fourColumns(false, true, b0, b1, b2, b3, s0, s1, s2, s3, terms, padded, each);
    else if (wide) y = fourColumns(true, false, b0, b1, b2, b3, s0, s1, s2, s3, terms, padded, each);
    else y = fourColumns(false, false, b0, b1, b2, b3, s0, s1, s2, s3, terms, padded, each);
    const to = out + ((<usize>column) << 2);
    if (right - column >= 4) v128.store(to, y);
    else storeFirst(to, y, right - column);
  }
}
