// Runs of vectors that share their scales: consecutive elements of one block, or four columns of blocks one row after the other.
// `step` is the distance in bytes from one vector to the next.

import {
  bits,
  e4m3Scales,
  exponentWord,
  magnitudeWord,
  NEAREST_AWAY,
  NEAREST_EVEN,
  rounding,
  significantBits,
  STOCHASTIC,
  TOWARD_ZERO,
  twosComplement,
} from './settings';
import { encodeVector, roundVector, withoutNegativeZero } from './vector';

// @ts-ignore: decorators are AssemblyScript's
@inline
function roundAll(
  how: i32,
  scaled: bool,
  int: bool,
  source: usize,
  target: usize,
  words: usize,
  vectors: i32,
  step: usize,
  threshold: v128,
  limit: v128,
  before: v128,
  after: v128,
): void {
  const shift = i32x4.splat((23 - significantBits) << 23);
  const magnitudeMask = i32x4.splat(magnitudeWord);
  const exponentMask = i32x4.splat(exponentWord);
  const end = source + <usize>vectors * step;
  for (; source < end; source += step, target += step) {
    let values = v128.load(source);
    let random = values;
    if (how == STOCHASTIC) {
      random = v128.load(words);
      words += step;
    }
    if (scaled) values = f32x4.mul(values, before);
    let rounded = roundVector(how, values, threshold, limit, shift, magnitudeMask, exponentMask, random);
    if (int) rounded = withoutNegativeZero(rounded);
    if (scaled) rounded = f32x4.mul(rounded, after);
    v128.store(target, rounded);
  }
}

/** Rounds a run of vectors. */
export function roundRun(
  source: usize,
  target: usize,
  words: usize,
  vectors: i32,
  step: usize,
  threshold: v128,
  limit: v128,
  before: v128,
  after: v128,
): void {
  const how = rounding;
  if (how == NEAREST_EVEN) {
    if (e4m3Scales) {
      roundAll(NEAREST_EVEN, true, false, source, target, words, vectors, step, threshold, limit, before, after);
    } else if (twosComplement) {
      roundAll(NEAREST_EVEN, false, true, source, target, words, vectors, step, threshold, limit, before, after);
      return;
    } else {
      roundAll(NEAREST_EVEN, false, false, source, target, words, vectors, step, threshold, limit, before, after);
    }
  } else if (how == NEAREST_AWAY) {
    roundAll(NEAREST_AWAY, true, false, source, target, words, vectors, step, threshold, limit, before, after);
  } else if (how == TOWARD_ZERO) {
    roundAll(TOWARD_ZERO, true, false, source, target, words, vectors, step, threshold, limit, before, after);
  } else {
    roundAll(STOCHASTIC, true, false, source, target, words, vectors, step, threshold, limit, before, after);
  }
  if (twosComplement) {
    const end = target + <usize>vectors * step;
    for (let at = target; at < end; at += step) v128.store(at, withoutNegativeZero(v128.load(at)));
  }
}

/** Four codes in the bytes of an integer. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function narrowed(codes: v128): i32 {
  const words = i16x8.narrow_i32x4_u(codes, codes);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0);
}

/** Gives codes the signs of values. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function signed(codes: v128, values: v128, int: bool, signBit: v128, mask: v128): v128 {
  const sign = i32x4.shr_s(values, 31);
  if (int) return v128.and(i32x4.sub(v128.xor(codes, sign), sign), mask);
  return v128.or(codes, v128.and(sign, signBit));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function encodeAll(
  how: i32,
  scaled: bool,
  source: usize,
  codes: usize,
  words: usize,
  vectors: i32,
  step: usize,
  threshold: v128,
  limit: v128,
  before: v128,
): void {
  const shift = i32x4.splat((23 - significantBits) << 23);
  const base = i32x4.add(shift, threshold);
  const magnitudeMask = i32x4.splat(magnitudeWord);
  const exponentMask = i32x4.splat(exponentWord);
  const signBit = i32x4.splat(1 << (bits - 1));
  const mask = i32x4.splat((1 << bits) - 1);
  const mantissaShift = 23 - significantBits;
  const codeStep = step >> 2;
  const int = twosComplement;
  let left = vectors;
  if (step == 16) {
    for (; left >= 4; left -= 4, source += 64, codes += 16, words += 64) {
      let v0 = v128.load(source);
      let v1 = v128.load(source, 16);
      let v2 = v128.load(source, 32);
      let v3 = v128.load(source, 48);
      if (scaled) {
        v0 = f32x4.mul(v0, before);
        v1 = f32x4.mul(v1, before);
        v2 = f32x4.mul(v2, before);
        v3 = f32x4.mul(v3, before);
      }
      const some = how == STOCHASTIC;
      const r0 = some ? v128.load(words) : v0;
      const r1 = some ? v128.load(words, 16) : v0;
      const r2 = some ? v128.load(words, 32) : v0;
      const r3 = some ? v128.load(words, 48) : v0;
      let c0 = encodeVector(how, v0, threshold, limit, shift, base, mantissaShift, magnitudeMask, exponentMask, r0);
      let c1 = encodeVector(how, v1, threshold, limit, shift, base, mantissaShift, magnitudeMask, exponentMask, r1);
      let c2 = encodeVector(how, v2, threshold, limit, shift, base, mantissaShift, magnitudeMask, exponentMask, r2);
      let c3 = encodeVector(how, v3, threshold, limit, shift, base, mantissaShift, magnitudeMask, exponentMask, r3);
      c0 = signed(c0, v0, int, signBit, mask);
      c1 = signed(c1, v1, int, signBit, mask);
      c2 = signed(c2, v2, int, signBit, mask);
      c3 = signed(c3, v3, int, signBit, mask);
      v128.store(codes, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(c0, c1), i16x8.narrow_i32x4_u(c2, c3)));
    }
  }
  for (; left > 0; left--, source += step, codes += codeStep, words += step) {
    let values = v128.load(source);
    const random = how == STOCHASTIC ? v128.load(words) : values;
    if (scaled) values = f32x4.mul(values, before);
    const code = encodeVector(
      how,
      values,
      threshold,
      limit,
      shift,
      base,
      mantissaShift,
      magnitudeMask,
      exponentMask,
      random,
    );
    store<i32>(codes, narrowed(signed(code, values, int, signBit, mask)));
  }
}

/** Encodes a run of vectors, a byte a code: a vector's four codes are consecutive, and `step / 4` bytes lie between vectors. */
export function encodeRun(
  source: usize,
  codes: usize,
  words: usize,
  vectors: i32,
  step: usize,
  threshold: v128,
  limit: v128,
  before: v128,
): void {
  const how = rounding;
  if (how == NEAREST_EVEN) {
    if (e4m3Scales) encodeAll(NEAREST_EVEN, true, source, codes, words, vectors, step, threshold, limit, before);
    else encodeAll(NEAREST_EVEN, false, source, codes, words, vectors, step, threshold, limit, before);
  } else if (how == NEAREST_AWAY) {
    encodeAll(NEAREST_AWAY, true, source, codes, words, vectors, step, threshold, limit, before);
  } else if (how == TOWARD_ZERO) {
    encodeAll(TOWARD_ZERO, true, source, codes, words, vectors, step, threshold, limit, before);
  } else encodeAll(STOCHASTIC, true, source, codes, words, vectors, step, threshold, limit, before);
}
