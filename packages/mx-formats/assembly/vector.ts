// Four elements at a time, on the float32 values themselves: the scale only moves the threshold below which elements
// are subnormal.

import { NEAREST_AWAY, NEAREST_EVEN, STOCHASTIC } from './settings';

/** 2^23 quanta of each magnitude's binade: adding it in float32 rounds to the nearest quantum, ties to even. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function magicOf(magnitude: v128, threshold: v128, shift: v128, exponentMask: v128): v128 {
  return i32x4.add(i32x4.max_s(v128.and(magnitude, exponentMask), threshold), shift);
}

/** 2^23 quanta plus the rounded magnitude; its bits, less those of 2^23 quanta, are the number of quanta. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function roundedSum(magnitude: v128, magic: v128, how: i32, random: v128): v128 {
  const nearest = f32x4.add(magnitude, magic);
  if (how == NEAREST_EVEN) return nearest;
  const tooFar = f32x4.gt(f32x4.sub(nearest, magic), magnitude);
  const truncated = i32x4.add(nearest, tooFar);
  const beyond = f32x4.sub(magnitude, f32x4.sub(truncated, magic));
  if (how == NEAREST_AWAY) {
    const half = i32x4.sub(magic, i32x4.splat(24 << 23));
    return i32x4.sub(truncated, f32x4.ge(beyond, half));
  }
  if (how == STOCHASTIC) {
    const quantum = i32x4.sub(magic, i32x4.splat(23 << 23));
    const uniform = f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(random, 8)), f32x4.splat(5.9604644775390625e-8));
    return i32x4.sub(truncated, f32x4.lt(f32x4.mul(uniform, quantum), beyond));
  }
  return truncated;
}

/**
 * Values rounded to the grid, with their signs.
 *
 * @param threshold the exponent bits of the smallest normal element times the scale
 * @param limit the largest element times the scale
 * @param shift the exponent bits of 2^(23 − significant bits)
 */
// @ts-expect-error: decorators are AssemblyScript's
@inline
export function roundVector(
  how: i32,
  values: v128,
  threshold: v128,
  limit: v128,
  shift: v128,
  magnitudeMask: v128,
  exponentMask: v128,
  random: v128,
): v128 {
  const magnitude = f32x4.pmin(limit, v128.and(values, magnitudeMask));
  const magic = magicOf(magnitude, threshold, shift, exponentMask);
  const rounded = f32x4.sub(roundedSum(magnitude, magic, how, random), magic);
  return v128.or(rounded, v128.andnot(values, magnitudeMask));
}

/** As `roundVector` leaves it, for two's complement, which has no −0. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
export function withoutNegativeZero(rounded: v128): v128 {
  return v128.and(rounded, f32x4.ne(rounded, f32x4.splat(0)));
}

/**
 * Values as codes, one a 32-bit lane, without their signs.
 *
 * @param base `shift` plus `threshold`
 */
// @ts-expect-error: decorators are AssemblyScript's
@inline
export function encodeVector(
  how: i32,
  values: v128,
  threshold: v128,
  limit: v128,
  shift: v128,
  base: v128,
  mantissaShift: i32,
  magnitudeMask: v128,
  exponentMask: v128,
  random: v128,
): v128 {
  const magnitude = f32x4.pmin(limit, v128.and(values, magnitudeMask));
  const magic = magicOf(magnitude, threshold, shift, exponentMask);
  const quanta = i32x4.sub(roundedSum(magnitude, magic, how, random), magic);
  return i32x4.add(i32x4.shr_u(i32x4.sub(magic, base), mantissaShift), quanta);
}

/** The largest of the four lanes of non-negative integers. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
export function largestLane(lanes: v128): i32 {
  const two = i32x4.max_s(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
  return i32x4.extract_lane(i32x4.max_s(two, i32x4.shuffle(two, two, 1, 0, 3, 2)), 0);
}

/** The largest lane of each of four vectors. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
export function largestLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.max_s(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = i32x4.max_s(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return i32x4.max_s(i32x4.shuffle(ab, cd, 0, 1, 4, 5), i32x4.shuffle(ab, cd, 2, 3, 6, 7));
}

/** All ones in the first `count` lanes. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
export function firstLanes(count: i32): v128 {
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}
