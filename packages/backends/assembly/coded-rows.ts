// Rows as codes of a block format (see `CodedRowKernels` in @lmd/core), and attention of one query to them, which
// decodes a few rows at a time.
//
// A row is its blocks, then a scale byte (E8M0) for each, filled up to words. A value is an integer q times the unit of
// its format, the least number above 0. Where q fits a byte, it is stored, else sign and magnitude as the format has
// them, with the sign at the top; a block takes a multiple of 16 bytes. Of codes of 4 bits, of sign and magnitude for
// integers too, each 16 bytes of a block hold 16 in their low halves and the next 16 in the high ones.

import { CodedKind, codedTileRows } from '../src/cpu/wasm/numbers';
import { softmax } from './softmax';
import { rowTimesMatrix, rowTimesTransposed } from './vector-matrix';
import { EDGE, PACKED_A, PACKED_B } from './workspace';

/** The scale byte of a block with a NaN or an infinity. */
const NAN_BYTE: u32 = 255;
const INFINITY_BITS: u32 = 0x7f800000;
const SIGN: i32 = 0x80000000;

// @ts-ignore: decorators are AssemblyScript's
@inline
function powerOfTwo(exponent: i32): f32 {
  return reinterpret<f32>((exponent + 127) << 23);
}

/** 2^(byte − 127), which is below the normal numbers for 0; NaN for the last. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function scaleOf(byte: u32): f32 {
  return reinterpret<f32>((byte << 23) | (byte == 0 || byte == NAN_BYTE ? 1 << 22 : 0));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function blockBytes(size: i32, kind: i32): usize {
  return kind == CodedKind.nibbles ? ((<usize>size + 31) >> 5) << 4 : (<usize>size + 15) & ~15;
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function rowBytes(blocks: i32, size: i32, kind: i32): usize {
  return (<usize>blocks * (blockBytes(size, kind) + 1) + 3) & ~3;
}

/**
 * The codes of rows of values that are rounded to the format already, in blocks of `size`, at most `width`.
 */
export function encodeRows(
  from: i32,
  to: i32,
  x: usize,
  codes: usize,
  width: i32,
  size: i32,
  kind: i32,
  mantissaBits: i32,
  emin: i32,
  emax: i32,
): void {
  const blocks = (width + size - 1) / size;
  const bytesOfBlock = blockBytes(size, kind);
  const bytesOfRow = rowBytes(blocks, size, kind);
  const least = powerOfTwo(emin);
  const steps = powerOfTwo(mantissaBits - emin);
  const below = (emin + 126) << mantissaBits;
  for (let row = from; row < to; row++) {
    const target = codes + <usize>row * bytesOfRow;
    memory.fill(target, 0, bytesOfRow);
    for (let block = 0; block < blocks; block++) {
      const start = x + ((<usize>row * <usize>width + <usize>block * <usize>size) << 2);
      const count = min(size, width - block * size);
      let largest: u32 = 0;
      for (let i = 0; i < count; i++) largest = max(largest, load<u32>(start + ((<usize>i) << 2)) & 0x7fffffff);
      const scaleAt = target + <usize>blocks * bytesOfBlock + <usize>block;
      if (largest >= INFINITY_BITS) {
        store<u8>(scaleAt, <u8>NAN_BYTE);
        continue;
      }
      const byte = min(max(<i32>(largest >> 23) - emax, 0), 254);
      store<u8>(scaleAt, <u8>byte);
      const inverse = scaleOf(254 - byte);
      const own = target + <usize>block * bytesOfBlock;
      for (let i = 0; i < count; i++) {
        const value = load<f32>(start + ((<usize>i) << 2));
        const scaled = abs(value) * inverse;
        const sign = value < 0 ? 1 : 0;
        if (kind == CodedKind.integers) {
          const integer = <i32>(scaled * steps);
          store<u8>(own + <usize>i, <u8>(sign == 1 ? -integer : integer));
          continue;
        }
        const magnitude =
          scaled < least ? <i32>(scaled * steps) : (reinterpret<i32>(scaled) >> (23 - mantissaBits)) - below;
        if (kind == CodedKind.bytes) {
          store<u8>(own + <usize>i, <u8>(magnitude | (sign << 7)));
          continue;
        }
        const at = own + <usize>(((i >> 5) << 4) | (i & 15));
        store<u8>(at, load<u8>(at) | <u8>((magnitude | (sign << 3)) << ((i & 16) >> 2)));
      }
    }
  }
}

/**
 * The values of `count` rows one after another; up to 31 floats after the last are overwritten.
 */
function decode(
  codes: usize,
  count: i32,
  out: usize,
  width: i32,
  size: i32,
  kind: i32,
  mantissaBits: i32,
  emin: i32,
): void {
  const blocks = (width + size - 1) / size;
  const bytesOfBlock = blockBytes(size, kind);
  const bytesOfRow = rowBytes(blocks, size, kind);
  const unit = powerOfTwo(emin - mantissaBits);
  const table = kind == CodedKind.nibbles ? integersByNibble(mantissaBits) : i8x16.splat(0);
  for (; count > 0; count--, codes += bytesOfRow, out += (<usize>width) << 2) {
    const scales = codes + <usize>blocks * bytesOfBlock;
    for (let block = 0; block < blocks; block++) {
      const scale = scaleOf(load<u8>(scales + <usize>block));
      const start = codes + <usize>block * bytesOfBlock;
      const to = out + ((<usize>block * <usize>size) << 2);
      if (kind == CodedKind.bytes) decodeBytes(start, bytesOfBlock, to, f32x4.splat(scale), mantissaBits, emin);
      else if (kind == CodedKind.integers) decodeIntegers(start, bytesOfBlock, to, f32x4.splat(scale * unit));
      else decodeNibbles(start, bytesOfBlock, to, table, f32x4.splat(scale * unit));
    }
  }
}

/** The integers that codes of 4 bits stand for. */
function integersByNibble(mantissaBits: i32): v128 {
  for (let code = 0; code < 8; code++) {
    const above = max((code >> mantissaBits) - 1, 0);
    const integer = (code - (above << mantissaBits)) << above;
    store<i8>(EDGE + <usize>code, <i8>integer);
    store<i8>(EDGE + <usize>code, <i8>-integer, 8);
  }
  return v128.load(EDGE);
}

function decodeIntegers(at: usize, bytes: usize, to: usize, scale: v128): void {
  for (const end = at + bytes; at < end; at += 16, to += 64) storeIntegers(to, v128.load(at), scale);
}

function decodeNibbles(at: usize, bytes: usize, to: usize, table: v128, scale: v128): void {
  for (const end = at + bytes; at < end; at += 16, to += 128) {
    const pairs = v128.load(at);
    const low = i8x16.splat(15);
    storeIntegers(to, i8x16.swizzle(table, v128.and(pairs, low)), scale);
    storeIntegers(to + 64, i8x16.swizzle(table, v128.and(i16x8.shr_u(pairs, 4), low)), scale);
  }
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function storeIntegers(to: usize, bytes: v128, scale: v128): void {
  const first = i16x8.extend_low_i8x16_s(bytes);
  const last = i16x8.extend_high_i8x16_s(bytes);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(first)), scale));
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(first)), scale), 16);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(last)), scale), 32);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(last)), scale), 48);
}

function decodeBytes(at: usize, bytes: usize, to: usize, scale: v128, mantissaBits: i32, emin: i32): void {
  for (const end = at + bytes; at < end; at += 16, to += 64) {
    const codes = v128.load(at);
    const first = i16x8.extend_low_i8x16_s(codes);
    const last = i16x8.extend_high_i8x16_s(codes);
    v128.store(to, decodeFour(i32x4.extend_low_i16x8_s(first), scale, mantissaBits, emin));
    v128.store(to, decodeFour(i32x4.extend_high_i16x8_s(first), scale, mantissaBits, emin), 16);
    v128.store(to, decodeFour(i32x4.extend_low_i16x8_s(last), scale, mantissaBits, emin), 32);
    v128.store(to, decodeFour(i32x4.extend_high_i16x8_s(last), scale, mantissaBits, emin), 48);
  }
}

/** A magnitude is exponent and mantissa: below the normal numbers, a multiple of the least. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function decodeFour(codes: v128, scale: v128, mantissaBits: i32, emin: i32): v128 {
  const magnitudes = v128.and(codes, i32x4.splat(0x7f));
  const normal = i32x4.add(i32x4.shl(magnitudes, 23 - mantissaBits), i32x4.splat((emin + 126) << 23));
  const small = f32x4.mul(f32x4.convert_i32x4_s(magnitudes), f32x4.splat(powerOfTwo(emin - mantissaBits)));
  const isSmall = i32x4.lt_s(magnitudes, i32x4.splat(1 << mantissaBits));
  const signs = v128.and(codes, i32x4.splat(SIGN));
  return f32x4.mul(v128.or(v128.bitselect(small, normal, isSmall), signs), scale);
}

/** The values of rows of codes. */
export function decodeRows(
  from: i32,
  to: i32,
  codes: usize,
  out: usize,
  width: i32,
  size: i32,
  kind: i32,
  mantissaBits: i32,
  emin: i32,
): void {
  const stride = rowBytes((width + size - 1) / size, size, kind);
  const bytes = (<usize>width) << 2;
  for (let row = from; row < to; row++) {
    decode(codes + <usize>row * stride, 1, PACKED_A, width, size, kind, mantissaBits, emin);
    memory.copy(out + <usize>row * bytes, PACKED_A, bytes);
  }
}

/**
 * Attention of one query for each head, `from` to `to` of those of all matrices of a batch: the sums of `softmax` and
 * of products with one row. A matrix has the keys of all its heads, `keys` rows each, and then their values.
 */
export function codedAttention(
  from: i32,
  to: i32,
  query: usize,
  codes: usize,
  out: usize,
  heads: i32,
  keys: i32,
  width: i32,
  size: i32,
  kind: i32,
  mantissaBits: i32,
  emin: i32,
  scale: f32,
): void {
  const stride = rowBytes((width + size - 1) / size, size, kind);
  const bytes = (<usize>width) << 2;
  const part = <usize>heads * <usize>keys * stride;
  for (let head = from; head < to; head++) {
    const matrix = head / heads;
    const own = codes + <usize>matrix * 2 * part + <usize>(head % heads) * <usize>keys * stride;
    const x = query + <usize>head * bytes;
    const sums = out + <usize>head * bytes;
    for (let row = 0; row < keys; row += codedTileRows) {
      const count = min(codedTileRows, keys - row);
      decode(own + <usize>row * stride, count, PACKED_A, width, size, kind, mantissaBits, emin);
      rowTimesTransposed(x, PACKED_A, PACKED_B + ((<usize>row) << 2), width, 0, count);
    }
    softmax(0, 1, PACKED_B, PACKED_B, keys, 1, scale, false);
    for (let row = 0; row < keys; row += codedTileRows) {
      const count = min(codedTileRows, keys - row);
      decode(own + part + <usize>row * stride, count, PACKED_A, width, size, kind, mantissaBits, emin);
      rowTimesMatrix(PACKED_B + ((<usize>row) << 2), PACKED_A, sums, count, 0, width, bytes, row > 0);
    }
  }
}
