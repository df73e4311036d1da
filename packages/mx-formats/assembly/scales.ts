// Scale bytes from the largest magnitudes of blocks, as in `scale.ts` and `tensor-scale.ts`: of one block, and of four
// at once.

import {
  e4m3Scales,
  emax,
  emin,
  INFINITY_BITS,
  largestBits,
  NAN_E4M3,
  NAN_SCALE,
  tensorReciprocal,
  tensorScale,
  upAbove,
  vectorFrom,
  vectorTo,
} from './settings';
import { AFTER, BEFORE, BYTES, LIMITS, THRESHOLDS } from './workspace';

/** The scale byte of a block from the float32 bits of its largest magnitude. */
export function scaleByte(maximum: i32): i32 {
  if (maximum >= INFINITY_BITS) return e4m3Scales ? NAN_E4M3 : NAN_SCALE;
  if (maximum == 0) return 0;
  if (e4m3Scales) return e4m3Code(maximum);
  let exponent = maximum >>> 23;
  let mantissa = maximum & 0x7fffff;
  if (exponent == 0) {
    const shift = clz(mantissa) - 8;
    exponent = 1 - shift;
    mantissa = (mantissa << shift) & 0x7fffff;
  }
  return min(max(exponent - emax + i32(mantissa > upAbove), 0), 254);
}

function e4m3Code(maximum: i32): i32 {
  const exact: f32 = reinterpret<f32>(maximum) / reinterpret<f32>(largestBits) / tensorScale;
  // Held to the normal numbers of E4M3, where a code is the top of the float32 bits.
  const word = reinterpret<i32>(min(max(exact, <f32>0.015625), <f32>448));
  return ((word + 0x7ffff + ((word >> 20) & 1)) >> 20) - (120 << 3);
}

/** The value of an E4M3 scale code that is neither NaN nor subnormal; 0 of 0. */
export function e4m3Value(code: i32): f32 {
  return code == 0 ? 0 : reinterpret<f32>((code + (120 << 3)) << 20);
}

/** What a block's values are multiplied by before they are rounded, under E4M3 scales. */
export function factorBefore(code: i32): f32 {
  return code == 0 ? 1 : tensorReciprocal / e4m3Value(code);
}

/** And after. */
export function factorAfter(code: i32): f32 {
  return tensorScale * e4m3Value(code);
}

/**
 * Finds the scales of four blocks; false, with nothing found, where the vector kernels are not exact for all of them.
 */
export function prepareFour(maxima: v128): bool {
  const zero = i32x4.eq(maxima, i32x4.splat(0));
  const tooLarge = i32x4.ge_s(maxima, i32x4.splat(INFINITY_BITS));
  if (e4m3Scales) {
    if (v128.any_true(tooLarge) || vectorTo < 127) return false;
    const exact = f32x4.div(f32x4.div(maxima, i32x4.splat(largestBits)), f32x4.splat(tensorScale));
    const word = f32x4.pmin(f32x4.splat(448), f32x4.pmax(f32x4.splat(0.015625), exact));
    const odd = v128.and(i32x4.shr_u(word, 20), i32x4.splat(1));
    const rounded = i32x4.shr_u(i32x4.add(i32x4.add(word, i32x4.splat(0x7ffff)), odd), 20);
    v128.store(BYTES, v128.andnot(i32x4.sub(rounded, i32x4.splat(120 << 3)), zero));
    const scale = v128.andnot(i32x4.shl(rounded, 20), zero);
    v128.store(BEFORE, v128.bitselect(f32x4.splat(1), f32x4.div(f32x4.splat(tensorReciprocal), scale), zero));
    v128.store(AFTER, f32x4.mul(f32x4.splat(tensorScale), scale));
    v128.store(THRESHOLDS, i32x4.splat((emin + 127) << 23));
    v128.store(LIMITS, i32x4.splat(largestBits));
    return true;
  }
  v128.store(BEFORE, f32x4.splat(1));
  v128.store(AFTER, f32x4.splat(1));
  const exponent = i32x4.shr_u(maxima, 23);
  const subnormal = v128.andnot(i32x4.eq(exponent, i32x4.splat(0)), zero);
  const up = i32x4.gt_s(v128.and(maxima, i32x4.splat(0x7fffff)), i32x4.splat(upAbove));
  const found = i32x4.sub(i32x4.sub(exponent, i32x4.splat(emax)), up);
  const clamped = i32x4.min_s(i32x4.max_s(found, i32x4.splat(0)), i32x4.splat(254));
  v128.store(BYTES, v128.andnot(clamped, zero));
  // An all-zero block has scale byte 0, but any scale will do.
  const exact = v128.bitselect(i32x4.splat(127), clamped, zero);
  v128.store(THRESHOLDS, i32x4.shl(i32x4.add(exact, i32x4.splat(emin)), 23));
  v128.store(LIMITS, i32x4.add(i32x4.splat(largestBits), i32x4.shl(i32x4.sub(exact, i32x4.splat(127)), 23)));
  const outside = v128.or(i32x4.lt_s(exact, i32x4.splat(vectorFrom)), i32x4.gt_s(exact, i32x4.splat(vectorTo)));
  return !v128.any_true(v128.or(v128.or(outside, subnormal), tooLarge));
}

/** The four scale bytes of `prepareFour` in one integer. */
export function fourBytes(): i32 {
  const bytes = v128.load(BYTES);
  const words = i16x8.narrow_i32x4_u(bytes, bytes);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0);
}
