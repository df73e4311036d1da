// Runs of vectors that share their scales: the consecutive elements of each of four blocks, or four columns of blocks
// one row after the other. `step` is the distance in bytes from one vector to the next.

import {
  bits,
  e4m3Scales,
  exponentWord,
  magnitudeWord,
  NEAREST_AWAY,
  NEAREST_EVEN,
  rounding,
  STOCHASTIC,
  significantBits,
  TOWARD_ZERO,
  twosComplement,
} from './settings';
import { encodeVector, roundVector, withoutNegativeZero } from './vector';
import { AFTER, BEFORE, COUNTS, LIMITS, STARTS, THRESHOLDS } from './workspace';

// @ts-expect-error: decorators are AssemblyScript's
@inline
function roundLoop(
  how: i32,
  scaled: bool,
  int: bool,
  source: usize,
  target: usize,
  words: usize,
  end: usize,
  step: usize,
  threshold: v128,
  limit: v128,
  before: v128,
  after: v128,
  shift: v128,
  magnitudeMask: v128,
  exponentMask: v128,
): void {
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

// @ts-expect-error: decorators are AssemblyScript's
@inline
function roundBlocks(how: i32, scaled: bool, int: bool, source: usize, target: usize, words: usize): void {
  const shift = i32x4.splat((23 - significantBits) << 23);
  const magnitudeMask = i32x4.splat(magnitudeWord);
  const exponentMask = i32x4.splat(exponentWord);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const at = (<usize>load<i32>(STARTS + lane)) << 2;
    roundLoop(
      how,
      scaled,
      int,
      source + at,
      target + at,
      words + at,
      source + at + ((<usize>load<i32>(COUNTS + lane)) << 2),
      16,
      v128.load32_splat(THRESHOLDS + lane),
      v128.load32_splat(LIMITS + lane),
      v128.load32_splat(BEFORE + lane),
      v128.load32_splat(AFTER + lane),
      shift,
      magnitudeMask,
      exponentMask,
    );
  }
}

/** Rounds the four blocks of `STARTS` and `COUNTS`. */
export function roundFour(source: usize, target: usize, words: usize): void {
  if (rounding == NEAREST_EVEN) {
    if (e4m3Scales) roundBlocks(NEAREST_EVEN, true, twosComplement, source, target, words);
    else if (twosComplement) roundBlocks(NEAREST_EVEN, false, true, source, target, words);
    else roundBlocks(NEAREST_EVEN, false, false, source, target, words);
  } else if (rounding == NEAREST_AWAY) roundBlocks(NEAREST_AWAY, true, twosComplement, source, target, words);
  else if (rounding == TOWARD_ZERO) roundBlocks(TOWARD_ZERO, true, twosComplement, source, target, words);
  else roundBlocks(STOCHASTIC, true, twosComplement, source, target, words);
}

/** Whether values are rounded to nearest, and by their thresholds alone. */
export function isPlain(): bool {
  return rounding == NEAREST_EVEN && !e4m3Scales && !twosComplement;
}

/** `roundFour` of four blocks of 32, one after the other, where `isPlain`. */
export function roundFourOf32(source: usize, target: usize): void {
  const shift = i32x4.splat((23 - significantBits) << 23);
  const magnitudes = i32x4.splat(magnitudeWord);
  const exponents = i32x4.splat(exponentWord);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const threshold = v128.load32_splat(THRESHOLDS + lane);
    const limit = v128.load32_splat(LIMITS + lane);
    for (const end = source + 128; source < end; source += 64, target += 64) {
      const a = v128.load(source);
      const b = v128.load(source, 16);
      const c = v128.load(source, 32);
      const d = v128.load(source, 48);
      v128.store(target, roundVector(NEAREST_EVEN, a, threshold, limit, shift, magnitudes, exponents, a));
      v128.store(target, roundVector(NEAREST_EVEN, b, threshold, limit, shift, magnitudes, exponents, b), 16);
      v128.store(target, roundVector(NEAREST_EVEN, c, threshold, limit, shift, magnitudes, exponents, c), 32);
      v128.store(target, roundVector(NEAREST_EVEN, d, threshold, limit, shift, magnitudes, exponents, d), 48);
    }
  }
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function roundColumnsWith(
  how: i32,
  scaled: bool,
  source: usize,
  target: usize,
  words: usize,
  rows: i32,
  step: usize,
): void {
  roundLoop(
    how,
    scaled,
    twosComplement,
    source,
    target,
    words,
    source + <usize>rows * step,
    step,
    v128.load(THRESHOLDS),
    v128.load(LIMITS),
    v128.load(BEFORE),
    v128.load(AFTER),
    i32x4.splat((23 - significantBits) << 23),
    i32x4.splat(magnitudeWord),
    i32x4.splat(exponentWord),
  );
}

/** Rounds `rows` rows of four columns. */
export function roundFourColumns(source: usize, target: usize, words: usize, rows: i32, step: usize): void {
  if (rounding == NEAREST_EVEN) {
    if (e4m3Scales) roundColumnsWith(NEAREST_EVEN, true, source, target, words, rows, step);
    else roundColumnsWith(NEAREST_EVEN, false, source, target, words, rows, step);
  } else if (rounding == NEAREST_AWAY) roundColumnsWith(NEAREST_AWAY, true, source, target, words, rows, step);
  else if (rounding == TOWARD_ZERO) roundColumnsWith(TOWARD_ZERO, true, source, target, words, rows, step);
  else roundColumnsWith(STOCHASTIC, true, source, target, words, rows, step);
}

/** Four codes in the bytes of an integer. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function narrowed(codes: v128): i32 {
  const words = i16x8.narrow_i32x4_u(codes, codes);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0);
}

/** Gives codes the signs of values. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function signed(codes: v128, values: v128, int: bool, signBit: v128, mask: v128): v128 {
  const sign = i32x4.shr_s(values, 31);
  if (int) return v128.and(i32x4.sub(v128.xor(codes, sign), sign), mask);
  return v128.or(codes, v128.and(sign, signBit));
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function encodeLoop(
  how: i32,
  scaled: bool,
  source: usize,
  codes: usize,
  words: usize,
  count: i32,
  step: usize,
  threshold: v128,
  limit: v128,
  before: v128,
  shift: v128,
  magnitudeMask: v128,
  exponentMask: v128,
): void {
  const base = i32x4.add(shift, threshold);
  const signBit = i32x4.splat(1 << (bits - 1));
  const mask = i32x4.splat((1 << bits) - 1);
  const mShift = 23 - significantBits;
  const codeStep = step >> 2;
  const int = twosComplement;
  let left = count;
  if (step == 16) {
    for (; left >= 16; left -= 16, source += 64, codes += 16, words += 64) {
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
      let c0 = encodeVector(how, v0, threshold, limit, shift, base, mShift, magnitudeMask, exponentMask, r0);
      let c1 = encodeVector(how, v1, threshold, limit, shift, base, mShift, magnitudeMask, exponentMask, r1);
      let c2 = encodeVector(how, v2, threshold, limit, shift, base, mShift, magnitudeMask, exponentMask, r2);
      let c3 = encodeVector(how, v3, threshold, limit, shift, base, mShift, magnitudeMask, exponentMask, r3);
      c0 = signed(c0, v0, int, signBit, mask);
      c1 = signed(c1, v1, int, signBit, mask);
      c2 = signed(c2, v2, int, signBit, mask);
      c3 = signed(c3, v3, int, signBit, mask);
      v128.store(codes, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(c0, c1), i16x8.narrow_i32x4_u(c2, c3)));
    }
  }
  for (; left > 0; left -= 4, source += step, codes += codeStep, words += step) {
    let values = v128.load(source);
    const random = how == STOCHASTIC ? v128.load(words) : values;
    if (scaled) values = f32x4.mul(values, before);
    const code = encodeVector(how, values, threshold, limit, shift, base, mShift, magnitudeMask, exponentMask, random);
    store<i32>(codes, narrowed(signed(code, values, int, signBit, mask)));
  }
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function encodeBlocks(how: i32, scaled: bool, source: usize, codes: usize, words: usize): void {
  const shift = i32x4.splat((23 - significantBits) << 23);
  const magnitudeMask = i32x4.splat(magnitudeWord);
  const exponentMask = i32x4.splat(exponentWord);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const start = load<i32>(STARTS + lane);
    const at = (<usize>start) << 2;
    encodeLoop(
      how,
      scaled,
      source + at,
      codes + start,
      words + at,
      load<i32>(COUNTS + lane),
      16,
      v128.load32_splat(THRESHOLDS + lane),
      v128.load32_splat(LIMITS + lane),
      v128.load32_splat(BEFORE + lane),
      shift,
      magnitudeMask,
      exponentMask,
    );
  }
}

/** Encodes the four blocks of `STARTS` and `COUNTS`, a byte a code. */
export function encodeFour(source: usize, codes: usize, words: usize): void {
  if (rounding == NEAREST_EVEN) {
    if (e4m3Scales) encodeBlocks(NEAREST_EVEN, true, source, codes, words);
    else encodeBlocks(NEAREST_EVEN, false, source, codes, words);
  } else if (rounding == NEAREST_AWAY) encodeBlocks(NEAREST_AWAY, true, source, codes, words);
  else if (rounding == TOWARD_ZERO) encodeBlocks(TOWARD_ZERO, true, source, codes, words);
  else encodeBlocks(STOCHASTIC, true, source, codes, words);
}

// @ts-expect-error: decorators are AssemblyScript's
@inline
function encodeColumnsWith(how: i32, source: usize, codes: usize, words: usize, rows: i32, step: usize): void {
  encodeLoop(
    how,
    true,
    source,
    codes,
    words,
    rows << 2,
    step,
    v128.load(THRESHOLDS),
    v128.load(LIMITS),
    v128.load(BEFORE),
    i32x4.splat((23 - significantBits) << 23),
    i32x4.splat(magnitudeWord),
    i32x4.splat(exponentWord),
  );
}

/** Encodes `rows` rows of four columns, whose codes are `step / 4` bytes apart. */
export function encodeFourColumns(source: usize, codes: usize, words: usize, rows: i32, step: usize): void {
  if (rounding == NEAREST_EVEN) encodeColumnsWith(NEAREST_EVEN, source, codes, words, rows, step);
  else if (rounding == NEAREST_AWAY) encodeColumnsWith(NEAREST_AWAY, source, codes, words, rows, step);
  else if (rounding == TOWARD_ZERO) encodeColumnsWith(TOWARD_ZERO, source, codes, words, rows, step);
  else encodeColumnsWith(STOCHASTIC, source, codes, words, rows, step);
}
