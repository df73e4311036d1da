// Rows of packed weights (see `PackedMatrixKernels` in @lmd/core): decoded, or multiplied with rows of f32 as they are
// decoded. In generating text each weight is used once, so that memory bounds it, and the codes are what is read.
//
// A row is chunks of 64 codes, zeros at the end, in groups of 16. Code 8h + 4p + l of a group is byte 8h + 2l + p of a
// vector, so that its bfloat16 values widen by a shift and a mask, in order; code 4j + l of integers is byte 4l + j.
//
// - 4 bits: 32 bytes; of each 16, group 2i in the low nibbles and group 2i + 1 in the high ones.
// - 6 bits: 32 bytes of the low four bits, as above; then 16 bytes of the upper two: bits 4 and 7 for group 0, 3 and 6
//   for group 1, 2 and 5 for group 2, 0 and 1 for group 3.
// - 8 bits: 64 bytes, group after group.

import {
  chunkBytes4,
  chunkBytes6,
  chunkBytes8,
  chunkCodes,
  PackedKind,
  tableCodes,
  tableScales,
} from '../src/cpu/wasm/numbers';
import { madd } from './arithmetic';
import { EDGE } from './workspace';

const QUIET_NAN: u32 = 0x7fc00000;
/** Where the low bytes by code begin, the high ones, and the bfloat16 number to add. */
const LOW_BYTES: usize = 4 * tableScales;
const HIGH_BYTES: usize = LOW_BYTES + tableCodes;
const ADDED: usize = HIGH_BYTES + tableCodes;
/** Bytes of a chunk's values. */
const CHUNK_VALUES: usize = 4 * chunkCodes;

// @ts-ignore: decorators are AssemblyScript's
@inline
function bytesOfChunk(kind: i32): usize {
  return kind == PackedKind.nibbles ? chunkBytes4 : kind <= PackedKind.float6m2 ? chunkBytes6 : chunkBytes8;
}

/** Looks up bytes by indices of which all are below 16. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function lookUp(table: v128, indices: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, indices);
  return i8x16.swizzle(table, indices);
}

/** The codes of a group, one a byte; those of 6 bits with the sign in bit 7. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function codesOf(kind: i32, at: usize, group: i32): v128 {
  if (kind >= PackedKind.float8m3) return v128.load(at + ((<usize>group) << 4));
  const pair = v128.load(at + ((<usize>(group >> 1)) << 4));
  const nibbles = v128.and((group & 1) == 0 ? pair : i16x8.shr_u(pair, 4), i8x16.splat(15));
  if (kind == PackedKind.nibbles) return nibbles;
  const tops = v128.load(at, 32);
  if (group == 3) {
    const exponents = v128.and(i16x8.shl(tops, 4), i8x16.splat(0x10));
    return v128.or(v128.or(nibbles, exponents), v128.and(i16x8.shl(tops, 6), i8x16.splat(<i8>0x80)));
  }
  return v128.or(nibbles, v128.and(group == 0 ? tops : i16x8.shl(tops, group), i8x16.splat(<i8>0x90)));
}

/**
 * Eight codes as bfloat16, the first of a group or the last. Of floats, those below the normal numbers go by a
 * correction from the table.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
function halvesOf(kind: i32, codes: v128, last: bool, lowBytes: v128, highBytes: v128, offset: v128): v128 {
  if (kind == PackedKind.nibbles) return pairs(lookUp(lowBytes, codes), lookUp(highBytes, codes), last);
  const sizes = v128.and(codes, i8x16.splat(0x7f));
  // Gives 0 from 16 on.
  const correction = pairs(i8x16.swizzle(lowBytes, sizes), i8x16.swizzle(highBytes, sizes), last);
  const wide = last ? i16x8.extend_high_i8x16_s(codes) : i16x8.extend_low_i8x16_s(codes);
  const m3 = kind == PackedKind.float6m3 || kind == PackedKind.float8m3;
  // The sign stands in the upper bits, and nothing carries into it.
  const moved = v128.and(i16x8.shl(wide, m3 ? 4 : 5), i16x8.splat(<i16>(m3 ? 0x87f0 : 0x8fe0)));
  return i16x8.add(i16x8.add(moved, offset), correction);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function pairs(low: v128, high: v128, last: bool): v128 {
  if (last) return i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** Quarter `part` of a group as f32. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function valuesOf(kind: i32, codes: v128, part: i32, lowBytes: v128, highBytes: v128, offset: v128): v128 {
  if (kind == PackedKind.integer8) {
    return f32x4.convert_i32x4_s(i32x4.shr_s(part == 3 ? codes : i32x4.shl(codes, 24 - 8 * part), 24));
  }
  const halves = halvesOf(kind, codes, part >= 2, lowBytes, highBytes, offset);
  return (part & 1) == 0 ? i32x4.shl(halves, 16) : v128.and(halves, i32x4.splat(<i32>0xffff0000));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function groupTimes(kind: i32, at: usize, group: i32, x: usize, low: v128, high: v128, offset: v128): v128 {
  const codes = codesOf(kind, at, group);
  const from = x + ((<usize>group) << 6);
  let sum = f32x4.mul(v128.load(from), valuesOf(kind, codes, 0, low, high, offset));
  sum = madd(v128.load(from, 16), valuesOf(kind, codes, 1, low, high, offset), sum);
  sum = madd(v128.load(from, 32), valuesOf(kind, codes, 2, low, high, offset), sum);
  return madd(v128.load(from, 48), valuesOf(kind, codes, 3, low, high, offset), sum);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function scaleOf(scales: usize, index: i32, tables: usize): v128 {
  return v128.load32_splat(tables + ((<usize>load<u8>(scales + index)) << 2));
}

/**
 * A row of codes times a row of x: block by block in ascending order, `shift` + 4 being the exponent of the size of a
 * block.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
function rowOf(kind: i32, codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize): f32 {
  const low = v128.load(tables, LOW_BYTES);
  const high = v128.load(tables, HIGH_BYTES);
  const offset = v128.load16_splat(tables, ADDED);
  let sum = f32x4.splat(0);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const a = groupTimes(kind, codes, 0, x, low, high, offset);
    const b = groupTimes(kind, codes, 1, x, low, high, offset);
    const c = groupTimes(kind, codes, 2, x, low, high, offset);
    const d = groupTimes(kind, codes, 3, x, low, high, offset);
    const group = chunk << 2;
    if (shift == 0) {
      sum = madd(a, scaleOf(scales, group, tables), sum);
      sum = madd(b, scaleOf(scales, group + 1, tables), sum);
      sum = madd(c, scaleOf(scales, group + 2, tables), sum);
      sum = madd(d, scaleOf(scales, group + 3, tables), sum);
    } else {
      sum = madd(f32x4.add(a, b), scaleOf(scales, group >> shift, tables), sum);
      sum = madd(f32x4.add(c, d), scaleOf(scales, (group + 2) >> shift, tables), sum);
    }
    codes += bytesOfChunk(kind);
    x += CHUNK_VALUES;
  }
  const two = f32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
  return f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1);
}

function rowNibbles(codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize): f32 {
  return rowOf(PackedKind.nibbles, codes, scales, tables, shift, chunks, x);
}

function rowFloat6M3(codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize): f32 {
  return rowOf(PackedKind.float6m3, codes, scales, tables, shift, chunks, x);
}

function rowFloat6M2(codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize): f32 {
  return rowOf(PackedKind.float6m2, codes, scales, tables, shift, chunks, x);
}

function rowFloat8M3(codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize): f32 {
  return rowOf(PackedKind.float8m3, codes, scales, tables, shift, chunks, x);
}

function rowFloat8M2(codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize): f32 {
  return rowOf(PackedKind.float8m2, codes, scales, tables, shift, chunks, x);
}

function rowInteger8(codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize): f32 {
  return rowOf(PackedKind.integer8, codes, scales, tables, shift, chunks, x);
}

/** A function for each kind, called by reference, so that engines keep its tables and sums in registers. */
type Row = (codes: usize, scales: usize, tables: usize, shift: i32, chunks: i32, x: usize) => f32;

function rowFor(kind: i32): Row {
  if (kind == PackedKind.nibbles) return rowNibbles;
  if (kind == PackedKind.float6m3) return rowFloat6M3;
  if (kind == PackedKind.float6m2) return rowFloat6M2;
  if (kind == PackedKind.float8m3) return rowFloat8M3;
  if (kind == PackedKind.float8m2) return rowFloat8M2;
  return rowInteger8;
}

/** x [m, 64·chunks] · the rows `from` to `to` of packed weights, transposed: those columns of out [m, n]. */
export function packedRowProducts(
  from: i32,
  to: i32,
  kind: i32,
  codes: usize,
  scales: usize,
  tables: usize,
  shift: i32,
  chunks: i32,
  x: usize,
  out: usize,
  m: i32,
  n: i32,
): void {
  const row = rowFor(kind);
  const stride = <usize>chunks * bytesOfChunk(kind);
  const scaleStride = <usize>scalesOfRow(chunks, shift);
  for (let column = from; column < to; column++) {
    const rowCodes = codes + <usize>column * stride;
    const rowScales = scales + <usize>column * scaleStride;
    for (let i = 0; i < m; i++) {
      const input = x + <usize>i * <usize>chunks * CHUNK_VALUES;
      store<f32>(out + ((<usize>(i * n + column)) << 2), row(rowCodes, rowScales, tables, shift, chunks, input));
    }
  }
}

/** Blocks of a row, the padding included. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function scalesOfRow(chunks: i32, shift: i32): i32 {
  return ((chunks << 2) + (1 << shift) - 1) >> shift;
}

/**
 * The values of rows of packed weights as rows of `terms` numbers: rows `from` to `to`, or, where `indices` is not 0,
 * those that it names there, NaN for one that is out of range.
 */
export function decodePackedRows(
  from: i32,
  to: i32,
  kind: i32,
  codes: usize,
  scales: usize,
  tables: usize,
  shift: i32,
  chunks: i32,
  indices: usize,
  out: usize,
  rows: i32,
  terms: i32,
): void {
  const bytes = (<usize>terms) << 2;
  for (let i = from; i < to; i++) {
    const row = indices == 0 ? i : load<i32>(indices + ((<usize>i) << 2));
    const target = out + <usize>i * bytes;
    if (<u32>row >= <u32>rows) {
      for (let at: usize = 0; at < bytes; at += 4) store<u32>(target + at, QUIET_NAN);
      continue;
    }
    const rowCodes = codes + <usize>row * <usize>chunks * bytesOfChunk(kind);
    const rowScales = scales + <usize>row * <usize>scalesOfRow(chunks, shift);
    for (let chunk = 0; chunk < chunks; chunk++) {
      decodeChunk(kind, rowCodes + <usize>chunk * bytesOfChunk(kind), rowScales, tables, shift, chunk);
      const start = <usize>chunk * CHUNK_VALUES;
      memory.copy(target + start, EDGE, min(CHUNK_VALUES, bytes - start));
    }
  }
}

/** 64 values to `EDGE`. */
function decodeChunk(kind: i32, codes: usize, scales: usize, tables: usize, shift: i32, chunk: i32): void {
  if (kind == PackedKind.nibbles) decodeKind(PackedKind.nibbles, codes, scales, tables, shift, chunk);
  else if (kind == PackedKind.float6m3) decodeKind(PackedKind.float6m3, codes, scales, tables, shift, chunk);
  else if (kind == PackedKind.float6m2) decodeKind(PackedKind.float6m2, codes, scales, tables, shift, chunk);
  else if (kind == PackedKind.float8m3) decodeKind(PackedKind.float8m3, codes, scales, tables, shift, chunk);
  else if (kind == PackedKind.float8m2) decodeKind(PackedKind.float8m2, codes, scales, tables, shift, chunk);
  else decodeKind(PackedKind.integer8, codes, scales, tables, shift, chunk);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function decodeKind(kind: i32, codes: usize, scales: usize, tables: usize, shift: i32, chunk: i32): void {
  const low = v128.load(tables, LOW_BYTES);
  const high = v128.load(tables, HIGH_BYTES);
  const offset = v128.load16_splat(tables, ADDED);
  for (let group = 0; group < 4; group++) {
    const all = codesOf(kind, codes, group);
    const scale = scaleOf(scales, ((chunk << 2) + group) >> shift, tables);
    const to = EDGE + ((<usize>group) << 6);
    v128.store(to, f32x4.mul(valuesOf(kind, all, 0, low, high, offset), scale));
    v128.store(to, f32x4.mul(valuesOf(kind, all, 1, low, high, offset), scale), 16);
    v128.store(to, f32x4.mul(valuesOf(kind, all, 2, low, high, offset), scale), 32);
    v128.store(to, f32x4.mul(valuesOf(kind, all, 3, low, high, offset), scale), 48);
  }
}
