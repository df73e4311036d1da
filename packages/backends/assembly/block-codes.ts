// Codes with a scale for each block of 128 elements, several in a word, to the bit of the composition in `@lmd/core`
// (`compositions/block-codes.ts`): every step is exact or rounded once, and scales are read from the bits.

import { noiseBlock, scaledElements } from '../src/cpu/wasm/numbers';
import { DecodeEntry, EncodeEntry } from '../src/cpu/wasm/tables';
import { madd } from './arithmetic';
import { philox, schedule } from './philox';
import { SAMPLES_PLUS } from './workspace';

const ENCODE_ENTRY: usize = 4 * EncodeEntry.words;
const DECODE_ENTRY: usize = 4 * DecodeEntry.words;

const INFINITY: i32 = 0x7f800000;
const QUIET_NAN: u32 = 0x7fc00000;
/** 2^-100 */
const LEAST_SCALE: i32 = 0x0d800000;
/** The random word whose uniform is ½. */
const HALF: i32 = 0x80000000;

/**
 * The largest magnitude of `size` elements, as bits, whose order is that of the numbers, infinities and NaN above all.
 */
function largestBits(x: usize, size: i32): i32 {
  const magnitude = i32x4.splat(0x7fffffff);
  let largest = i32x4.splat(0);
  const whole = x + ((<usize>size & ~7) << 2);
  for (let at = x; at < whole; at += 32) {
    const pair = i32x4.max_s(v128.and(v128.load(at), magnitude), v128.and(v128.load(at, 16), magnitude));
    largest = i32x4.max_s(largest, pair);
  }
  let result = max(
    max(i32x4.extract_lane(largest, 0), i32x4.extract_lane(largest, 1)),
    max(i32x4.extract_lane(largest, 2), i32x4.extract_lane(largest, 3)),
  );
  for (let at = whole; at < x + ((<usize>size) << 2); at += 4) result = max(result, load<i32>(at) & 0x7fffffff);
  return result;
}

/** The digits of four values, before the middle of their law is added. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function roundToCodes(value: v128, random: v128, square: bool, inverse: v128, most: v128): v128 {
  const one = f32x4.splat(1);
  const signs = i32x4.splat(0x80000000);
  const ratio = f32x4.mul(v128.andnot(value, signs), inverse);
  let below: v128;
  let beyond: v128;
  if (square) {
    below = f32x4.floor(f32x4.sqrt(ratio));
    const rest = f32x4.sub(ratio, f32x4.mul(below, below));
    beyond = f32x4.div(rest, f32x4.add(f32x4.add(below, below), one));
  } else {
    below = f32x4.floor(ratio);
    beyond = f32x4.sub(ratio, below);
  }
  const uniform = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(random, 8)), f32x4.splat(5.9604644775390625e-8));
  const code = f32x4.pmin(f32x4.add(below, v128.and(f32x4.lt(uniform, beyond), one)), most);
  return v128.or(code, v128.and(value, signs));
}

/** Appends digits to words; two vectors at a time, in whole pairs, which a tensor's block has room for. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function appendCodes(
  x: usize,
  words: usize,
  random: usize,
  bytes: usize,
  square: bool,
  inverse: v128,
  most: v128,
  radix: v128,
  middle: v128,
): void {
  for (let at: usize = 0; at < bytes; at += 32) {
    const low = roundToCodes(v128.load(x + at), v128.load(random + at), square, inverse, most);
    const high = roundToCodes(v128.load(x + at, 16), v128.load(random + at, 16), square, inverse, most);
    // Integers under 2^24: exact, whether fused or not.
    v128.store(words + at, madd(v128.load(words + at), radix, f32x4.add(low, middle)));
    v128.store(words + at, madd(v128.load(words + at, 16), radix, f32x4.add(high, middle)), 16);
  }
}

/** Appends the digits of a block's codes to its words. `random` holds the random words of its elements. */
function appendBlock(x: usize, words: usize, random: usize, size: i32, square: bool, bits: i32, scale: usize): void {
  const largestCode = (1 << (bits - 1)) - 1;
  const radix = f32x4.splat(<f32>(1 << bits));
  const middle = f32x4.splat(<f32>(1 << (bits - 1)));
  const bytes = (<usize>size) << 2;
  const found = largestBits(x, size);
  if (found >= INFINITY) {
    store<u32>(scale, QUIET_NAN);
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(words + at, madd(v128.load(words + at), radix, middle));
    }
    return;
  }
  const units = square ? <f64>largestCode * <f64>largestCode : <f64>largestCode;
  const needed = reinterpret<i32>(reinterpret<f32>(found) * <f32>(1 / units));
  // Rounded up to a power of two.
  const power = reinterpret<f32>(max((needed + 0x7fffff) & INFINITY, LEAST_SCALE));
  store<f32>(scale, power);
  const inverse = f32x4.splat(1 / power);
  const most = f32x4.splat(<f32>largestCode);
  if (square) appendCodes(x, words, random, bytes, true, inverse, most, radix, middle);
  else appendCodes(x, words, random, bytes, false, inverse, most, radix, middle);
}

/**
 * Packs the elements `from` (a multiple of 1024) to `to` of vectors, several codes in a word, and the scale of every
 * 128.
 *
 * @param table an `EncodeEntry` for each vector
 * @param stochastic whether the keys count; else codes are rounded to nearest
 */
export function encodeBlocks(from: i32, to: i32, table: usize, vectors: i32, words: usize, stochastic: bool): void {
  const random = SAMPLES_PLUS;
  if (!stochastic) {
    for (let at: usize = 0; at < (<usize>noiseBlock) << 2; at += 16) v128.store(random + at, i32x4.splat(HALF));
  }
  for (let start = from; start < to; start += noiseBlock) {
    const size = min(noiseBlock, to - start);
    const offset = (<usize>start) << 2;
    memory.fill(words + offset, 0, ((<usize>size + 15) & ~15) << 2);
    for (let vector = 0; vector < vectors; vector++) {
      const entry = table + <usize>vector * ENCODE_ENTRY;
      const x = <usize>load<u32>(entry, 4 * EncodeEntry.vector) + offset;
      const scales = <usize>load<u32>(entry, 4 * EncodeEntry.scales) + (offset >> 7);
      const square = load<i32>(entry, 4 * EncodeEntry.square) != 0;
      const bits = load<i32>(entry, 4 * EncodeEntry.bits);
      if (stochastic) {
        schedule(
          load<u32>(entry, 4 * EncodeEntry.stream),
          load<u32>(entry, 4 * EncodeEntry.step),
          load<u32>(entry, 4 * EncodeEntry.sample),
          load<u32>(entry, 4 * EncodeEntry.seedLow),
          load<u32>(entry, 4 * EncodeEntry.seedHigh),
        );
        philox(random, size, <u32>start >> 2);
      }
      for (let place = 0; place < size; place += scaledElements) {
        const at = (<usize>place) << 2;
        const count = min(scaledElements, size - place);
        appendBlock(x + at, words + offset + at, random + at, count, square, bits, scales + (at >> 7));
      }
    }
  }
}

/**
 * Unpacks the elements `from` (a multiple of 128) to `to` of vectors.
 *
 * @param table a `DecodeEntry` for each vector that is wanted
 */
export function decodeBlocks(from: i32, to: i32, table: usize, vectors: i32, words: usize): void {
  for (let start = from; start < to; start += scaledElements) {
    const offset = (<usize>start) << 2;
    const bytes = (<usize>((min(scaledElements, to - start) + 3) & ~3)) << 2;
    const source = words + offset;
    for (let vector = 0; vector < vectors; vector++) {
      const entry = table + <usize>vector * DECODE_ENTRY;
      const out = <usize>load<u32>(entry, 4 * DecodeEntry.out) + offset;
      const scale = v128.load32_splat(<usize>load<u32>(entry, 4 * DecodeEntry.scales) + (offset >> 7));
      const square = load<i32>(entry, 4 * DecodeEntry.square) != 0;
      const bits = load<i32>(entry, 4 * DecodeEntry.bits);
      // All powers of two, so that every product is exact.
      const shift = f32x4.splat(1 / <f32>(1 << load<i32>(entry, 4 * DecodeEntry.after)));
      const radix = f32x4.splat(<f32>(1 << bits));
      const inverse = f32x4.splat(1 / <f32>(1 << bits));
      const middle = f32x4.splat(<f32>(1 << (bits - 1)));
      for (let at: usize = 0; at < bytes; at += 16) {
        const upper = f32x4.floor(f32x4.mul(v128.load(source + at), shift));
        const above = f32x4.floor(f32x4.mul(upper, inverse));
        const code = f32x4.sub(f32x4.sub(upper, f32x4.mul(above, radix)), middle);
        v128.store(out + at, f32x4.mul(square ? f32x4.mul(code, f32x4.abs(code)) : code, scale));
      }
    }
  }
}
