import type { Grid } from './grid.js';
import type { ScaleMode } from './options.js';
import { infinityBits, nanScale } from './wasm/numbers.js';

export { infinityBits, nanScale };

/** 2^(byte − 127), by scale byte. */
export const scaleValues: Float64Array = Float64Array.from({ length: 256 }, (_, byte) =>
  byte === nanScale ? Number.NaN : 2 ** (byte - 127),
);

/** 2^(127 − byte), by scale byte. */
export const inverseScales: Float64Array = scaleValues.map((value) => 1 / value);

/**
 * The E8M0 scale byte of a block whose largest magnitude has these float32 bits; 0 for an all-zero block and 0xFF for
 * one that is not finite. The exponent is read from the bits, since a floating-point logarithm is wrong just below
 * powers of two.
 */
export function scaleByte(grid: Grid, mode: ScaleMode, maximum: number): number {
  if (maximum >= infinityBits) return nanScale;
  if (maximum === 0) return 0;
  let exponent = maximum >>> 23;
  let mantissa = maximum & 0x7fffff;
  if (exponent === 0) {
    const shift = Math.clz32(mantissa) - 8;
    exponent = 1 - shift;
    mantissa = (mantissa << shift) & 0x7fffff;
  }
  const byte = exponent - grid.emax + (mantissa > upAbove(grid, mode) ? 1 : 0);
  return Math.min(Math.max(byte, 0), 254);
}

/** The mantissa bits of the largest A that takes 2^⌊log2 A⌋ − emax; one above it takes the next power of two. */
export function upAbove({ significantBits, largestMantissa }: Grid, mode: ScaleMode): number {
  switch (mode) {
    case 'floor':
      return 0x7fffff;
    case 'ceil':
      return 0;
    case 'rceil':
      return largestMantissa;
    case 'even':
      // From half a unit in the last place below the next power of two: all ones are odd, so that the tie goes up.
      return 0x7fffff - (1 << (22 - significantBits));
  }
}
