import type { OptionsOf, ValueOf } from './options/option.js';
import type { roundingOptionTable } from './rounding-options.js';

/**
 * A number format as data, with all that a backend needs. The formats of `@lmd/mx-formats` have this structure; core
 * depends on no package and therefore declares it here.
 */
export interface ElementFormat {
  readonly name: string;
  /** `float`: sign, exponent, mantissa. `int`: two's complement with `mantissaBits` fraction bits (MXINT8: 6). */
  readonly kind: 'float' | 'int';
  readonly bits: number;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /** Exponent of the largest normal number (OCP MX v1.0, section 5.3). */
  readonly emax: number;
  /** Exponent of the smallest normal number. */
  readonly emin: number;
  /** The largest finite value. */
  readonly largest: number;
  readonly hasInfinity: boolean;
  readonly hasNaN: boolean;
}

export interface BlockFormat {
  readonly name: string;
  readonly element: ElementFormat;
  /** Consecutive elements that share a scale: 32 in OCP MX v1.0. */
  readonly blockSize: number;
  /** `e8m0`: a power of two, one byte per block. Other kinds of scales are defined by the packages of their formats. */
  readonly scale: string;
}

/**
 * To the nearest value, ties to the even code or away from zero; toward zero; or `stochastic`, by each element's random
 * word (`randomBits` of the tensor's shape, by row-major position): away from zero when the word's upper 24 bits times
 * 2^-24 are less than the fraction of the unit in the last place that truncation cuts off.
 */
export type Rounding = ValueOf<typeof roundingOptionTable.rounding>;

/**
 * The power of two of a block whose largest magnitude is A: `floor` 2^(⌊log2 A⌋ − emax), the OCP default; `ceil`
 * 2^(⌈log2 A⌉ − emax); `rceil` 2^⌈log2 (A / largest)⌉; `even`, `floor` of A rounded to the element's mantissa. All
 * clamped to 2^-127 … 2^127.
 */
export type ScaleMode = ValueOf<typeof roundingOptionTable.scaleMode>;

/** A block format and how values are rounded to it. */
export interface Quantization extends OptionsOf<typeof roundingOptionTable> {
  readonly format: BlockFormat;
}

export interface FakeQuantizeOptions extends Quantization {
  /**
   * Axis along which blocks run: the contraction axis of the product that uses the result. Negative values count from
   * the end.
   */
  readonly axis: number;
  /** Random key of stochastic rounding; required by it. */
  readonly key?: RandomKey;
}

/**
 * Key of a stream of random numbers. Philox4x32-10 with key (seed low, seed high) and counter (stream, step, sample,
 * element / 4): the same key gives the same bits on every backend, without stored state.
 */
export interface RandomKey {
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Consumer of the numbers, such as a tensor, the data order or dropout: unsigned 32 bits. See `streamOf`. */
  readonly stream: number;
  /** Unsigned 32 bits. */
  readonly step: number;
  /** Monte-Carlo sample within the step: unsigned 32 bits. */
  readonly sample: number;
}
