/**
 * The numbers that kernels and their callers share. Two compilers read this file, TypeScript's and AssemblyScript's
 * (`assembly/`): it has enumerations and whole-number constants alone, with neither types nor imports.
 */

/** How elements are rounded: a number for each `Rounding`. */
export enum RoundingNumber {
  nearestEven,
  nearestAway,
  towardZero,
  stochastic,
}

/** The settings that kernels in memory read: the place of each word, and how many there are. */
export enum SettingWord {
  bits,
  significantBits,
  emin,
  emax,
  bias,
  largestBits,
  largestCode,
  twosComplement,
  intUnit,
  hasSpecials,
  magnitude,
  exponent,
  upAbove,
  rounding,
  blockSize,
  e4m3,
  tensorScale,
  words,
}

/** The bits of a float32 number without its sign. */
export const magnitudeMask = 0x7fffffff;
/** The bits of its exponent, and of the infinity: magnitudes from here on are not finite. */
export const infinityBits = 0x7f800000;
/** The E8M0 code of NaN: the scale of a block that holds a NaN or an infinity. */
export const nanScale = 0xff;
