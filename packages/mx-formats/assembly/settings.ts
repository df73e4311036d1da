// What stays the same during one call from TypeScript: set once by `configure`, read by every kernel.

import { infinityBits, nanScale, RoundingNumber } from '../src/wasm/numbers';

export const NEAREST_EVEN: i32 = RoundingNumber.nearestEven;
export const NEAREST_AWAY: i32 = RoundingNumber.nearestAway;
export const TOWARD_ZERO: i32 = RoundingNumber.towardZero;
export const STOCHASTIC: i32 = RoundingNumber.stochastic;

export const INFINITY_BITS: i32 = infinityBits;
export const QUIET_NAN: i32 = 0x7fc00000;
export const NAN_SCALE: i32 = nanScale;
export const NAN_E4M3: i32 = 0x7f;

/** Bits of a code. */
export let bits: i32 = 8;
/** Bits after the leading one of a normal element. */
export let significantBits: i32 = 0;
export let emin: i32 = 0;
export let emax: i32 = 0;
export let bias: i32 = 0;
/** The largest element, as float32 bits, and its code. */
export let largestBits: i32 = 0;
export let largestCode: i32 = 0;
/** Two's complement, rather than sign and magnitude. */
export let twosComplement: bool = false;
/** Some codes are infinities or NaNs. */
export let hasSpecials: bool = false;
export let rounding: i32 = 0;
/** A block whose largest mantissa is above this takes the next power of two. */
export let upAbove: i32 = 0;
export let blockSize: i32 = 32;
/** Blocks have E4M3 scales and the tensor an FP32 one, rather than E8M0. */
export let e4m3Scales: bool = false;
export let tensorScale: f32 = 1;
/** 1 / tensorScale. */
export let tensorReciprocal: f32 = 1;
/** 2^-mantissaBits: what a two's complement code is multiplied by. */
export let intUnit: f32 = 1;
/** Scale bytes for which the vector kernels are exact; others go element by element. */
export let vectorFrom: i32 = 0;
export let vectorTo: i32 = 0;

/** Sets the element format. */
export function configureElement(
  bitsOfCode: i32,
  significant: i32,
  smallest: i32,
  largestExponent: i32,
  exponentBias: i32,
  largest: i32,
  topCode: i32,
  int: bool,
  unit: f32,
  specials: bool,
): void {
  bits = bitsOfCode;
  significantBits = significant;
  emin = smallest;
  emax = largestExponent;
  bias = exponentBias;
  largestBits = largest;
  largestCode = topCode;
  twosComplement = int;
  intUnit = unit;
  hasSpecials = specials;
}

/** What `configureWords` sets. */
export let magnitudeWord: i32 = 0;
export let exponentWord: i32 = 0;

/**
 * Sets words that never change: `magnitudeMask` and `infinityBits`. They are handed over at run time since the compiler
 * would otherwise write them out as vector constants, which engines build anew at each use.
 */
export function configureWords(magnitude: i32, exponent: i32): void {
  magnitudeWord = magnitude;
  exponentWord = exponent;
}

/** Sets the blocks and their scales, and how elements are rounded. */
export function configureBlocks(above: i32, how: i32, size: i32, e4m3: bool, scale: f32): void {
  upAbove = above;
  rounding = how;
  blockSize = size;
  e4m3Scales = e4m3;
  tensorScale = scale;
  tensorReciprocal = <f32>1 / scale;
  // Sums with the magic constant must not overflow, and no quantum (a 2^-48 of one, where fractions are compared) may
  // underflow. A format without mantissa bits breaks ties by the exponent, which the vector kernels do not.
  vectorFrom = (how == NEAREST_EVEN ? 1 : significantBits + 50) - emin;
  vectorTo = significantBits == 0 ? -1 : 253 - 23 + significantBits - emax;
}
