/**
 * One number format of at most 8 bits, as data. Everything else about it (its codes, its grid, its rounding) follows
 * from this record, so a new format is a new record. The idea of a format as a record is gfloat's
 * (graphcore-research/gfloat).
 */
export interface ElementFormat {
  readonly name: string;
  /** `float`: sign, exponent, mantissa. `int`: two's complement with `mantissaBits` fraction bits. */
  readonly kind: 'float' | 'int';
  /** Bits of a code, sign included: 2 to 8. */
  readonly bits: number;
  /** 0 for `int`. */
  readonly exponentBits: number;
  /** Stored mantissa bits; for `int`, the bits after the binary point. */
  readonly mantissaBits: number;
  /** Exponent bias; 0 for `int`. */
  readonly bias: number;
  /** Exponent of the largest normal number (OCP MX v1.0, section 5.3); for `int`, ⌊log2 largest⌋. */
  readonly emax: number;
  /** Exponent of the smallest normal number; for `int`, the same as `emax`, since its quantum is constant. */
  readonly emin: number;
  /** The largest finite value that rounding gives. */
  readonly largest: number;
  readonly hasInfinity: boolean;
  readonly hasNaN: boolean;
}

/** FP8 with IEEE 754 infinities and NaNs: largest 57344, smallest subnormal 2^-16 (OCP MX v1.0, section 5.3.1). */
export const e5m2: ElementFormat = Object.freeze({
  name: 'e5m2',
  kind: 'float',
  bits: 8,
  exponentBits: 5,
  mantissaBits: 2,
  bias: 15,
  emax: 15,
  emin: -14,
  largest: 57344,
  hasInfinity: true,
  hasNaN: true,
});

/** FP8 without infinities and one NaN a sign: largest 448, smallest subnormal 2^-9 (OCP MX v1.0, section 5.3.1). */
export const e4m3: ElementFormat = Object.freeze({
  name: 'e4m3',
  kind: 'float',
  bits: 8,
  exponentBits: 4,
  mantissaBits: 3,
  bias: 7,
  emax: 8,
  emin: -6,
  largest: 448,
  hasInfinity: false,
  hasNaN: true,
});

/** FP6: largest 28, smallest subnormal 2^-4; every code is finite (OCP MX v1.0, section 5.3.2). */
export const e3m2: ElementFormat = Object.freeze({
  name: 'e3m2',
  kind: 'float',
  bits: 6,
  exponentBits: 3,
  mantissaBits: 2,
  bias: 3,
  emax: 4,
  emin: -2,
  largest: 28,
  hasInfinity: false,
  hasNaN: false,
});

/** FP6: largest 7.5, smallest subnormal 2^-3; every code is finite (OCP MX v1.0, section 5.3.2). */
export const e2m3: ElementFormat = Object.freeze({
  name: 'e2m3',
  kind: 'float',
  bits: 6,
  exponentBits: 2,
  mantissaBits: 3,
  bias: 1,
  emax: 2,
  emin: 0,
  largest: 7.5,
  hasInfinity: false,
  hasNaN: false,
});

/** FP4: the magnitudes 0, 0.5, 1, 1.5, 2, 3, 4, 6; every code is finite (OCP MX v1.0, section 5.3.3). */
export const e2m1: ElementFormat = Object.freeze({
  name: 'e2m1',
  kind: 'float',
  bits: 4,
  exponentBits: 2,
  mantissaBits: 1,
  bias: 1,
  emax: 2,
  emin: 0,
  largest: 6,
  hasInfinity: false,
  hasNaN: false,
});

/**
 * Two's complement with 6 fraction bits (OCP MX v1.0, section 5.3.4). Rounding gives −127/64 … 127/64, so that it is
 * symmetric, as the specification permits; the code 0x80 still reads as −2. There is no negative zero: −0 becomes +0.
 */
export const int8: ElementFormat = Object.freeze({
  name: 'int8',
  kind: 'int',
  bits: 8,
  exponentBits: 0,
  mantissaBits: 6,
  bias: 0,
  emax: 0,
  emin: 0,
  largest: 127 / 64,
  hasInfinity: false,
  hasNaN: false,
});

/** The element formats of OCP Microscaling v1.0, by name. */
export const elementFormats = Object.freeze({ e5m2, e4m3, e3m2, e2m3, e2m1, int8 });
