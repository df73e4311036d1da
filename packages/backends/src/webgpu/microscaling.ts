import type { ElementFormat, Rounding, ScaleMode } from '@lmd/core';
import { floatPartsLibrary } from './float-bits.js';
import { philoxLibrary } from './wgsl.js';

/**
 * Microscaling in WGSL on the bits of f32 (OCP MX v1.0, sections 5 and 6), since WGSL promises neither NaN nor
 * subnormals in float arithmetic. A magnitude becomes a code, which grows with it; so saturation is a minimum, and a
 * carry into the next binade needs no care.
 */
export const microscalingParameters = {
  /** Element: 1 for two's complement; mantissa bits; exponent of the smallest normal; the largest finite code. */
  integer: 'u32',
  mantissa_bits: 'i32',
  emin: 'i32',
  largest_code: 'u32',
  /**
   * Scale: exponent of the largest normal, and the least 24-bit significand of the maximum that takes the next power of
   * two.
   */
  emax: 'i32',
  round_up_from: 'u32',
  /** 0 nearest even, 1 nearest away, 2 toward zero, 3 stochastic. */
  rounding: 'u32',
} as const;

const roundings: Readonly<Record<Rounding, number>> = { nearestEven: 0, nearestAway: 1, towardZero: 2, stochastic: 3 };

export function microscalingValues(element: ElementFormat, rounding: Rounding, scaleMode: ScaleMode) {
  return {
    integer: element.kind === 'int' ? 1 : 0,
    mantissa_bits: element.mantissaBits,
    emin: element.emin,
    largest_code: largestCode(element),
    emax: element.emax,
    round_up_from: roundUpFrom(element, scaleMode),
    rounding: roundings[rounding],
  };
}

function largestCode({ kind, largest, mantissaBits, emin }: ElementFormat): number {
  if (kind === 'int') return largest * 2 ** mantissaBits;
  const exponent = Math.floor(Math.log2(largest));
  return (exponent - emin) * 2 ** mantissaBits + largest * 2 ** (mantissaBits - exponent);
}

/** As a significand in [2^23, 2^24]: see `ScaleMode` of core. */
function roundUpFrom(element: ElementFormat, mode: ScaleMode): number {
  const { kind, largest, emax, mantissaBits } = element;
  const significantBits = kind === 'int' ? mantissaBits + emax : mantissaBits;
  switch (mode) {
    case 'floor':
      return 2 ** 24;
    case 'ceil':
      return 2 ** 23 + 1;
    case 'rceil':
      return largest * 2 ** (23 - emax) + 1;
    case 'even':
      return 2 ** 24 - 2 ** (22 - significantBits);
  }
}

/** Whether the arithmetic below covers an element: those of every OCP MX format are covered. */
export function isCovered({ kind, bits, mantissaBits, emin }: ElementFormat): boolean {
  // Products of the least element and the least scale must be f32 numbers.
  return bits <= 8 && (kind === 'int' || mantissaBits > 0) && emin - mantissaBits >= -22;
}

export const microscalingLibrary = `${philoxLibrary}${floatPartsLibrary}
const NAN_SCALE = 255u;

/** The E8M0 byte for the largest magnitude's bits. */
fn scale_byte(largest: u32) -> u32 {
  if (largest >= 0x7f800000u) { return NAN_SCALE; }
  if (largest == 0u) { return 0u; }
  let parts = parts_of(largest);
  let up = select(0, 1, parts.significand >= params.round_up_from);
  return u32(clamp(parts.exponent - params.emax + up + 127, 0, 254));
}

/** The code of a finite magnitude under the scale 2^(byte − 127), without a sign. \`word\` is its random word. */
fn code_of(magnitude: u32, byte: u32, word: u32) -> u32 {
  if (magnitude == 0u) { return 0u; }
  let parts = parts_of(magnitude);
  let exponent = parts.exponent + 127 - i32(byte);
  // Numbers and integers below the smallest normal share one spacing.
  var binade = max(exponent, params.emin);
  if (params.integer == 1u) { binade = 0; }
  let shift = 23 + binade - params.mantissa_bits - exponent;
  if (shift <= 0) { return params.largest_code; }
  var steps = 0u;
  if (shift < 32) { steps = parts.significand >> u32(shift); }
  var up = false;
  if (params.rounding < 2u) {
    if (shift <= 24) {
      let rest = parts.significand & ((1u << u32(shift)) - 1u);
      let half = 1u << u32(shift - 1);
      up = rest > half || (rest == half && (params.rounding == 1u || (steps & 1u) == 1u));
    }
  } else if (params.rounding == 3u) {
    let uniform_bits = word >> 8u;
    if (shift <= 24) {
      up = uniform_bits < ((parts.significand & ((1u << u32(shift)) - 1u)) << u32(24 - shift));
    } else {
      up = uniform_bits <= select(0u, (parts.significand - 1u) >> u32(min(shift - 24, 31)), shift - 24 < 32);
    }
  }
  steps += select(0u, 1u, up);
  if (params.integer == 1u) { return min(steps, params.largest_code); }
  return min(u32(binade - params.emin) * (1u << u32(params.mantissa_bits)) + steps, params.largest_code);
}

/** A code's magnitude as whole · 2^shift units of its format, a unit being the least magnitude of its element. */
struct Units { whole: u32, shift: u32 }
fn units_of(code: u32) -> Units {
  let field = code >> u32(params.mantissa_bits);
  if (params.integer == 1u || field == 0u) { return Units(code, 0u); }
  return Units(code - ((field - 1u) << u32(params.mantissa_bits)), field - 1u);
}

/** The f32 bits of a code's magnitude times 2^(byte − 127). */
fn magnitude_of(code: u32, byte: u32) -> u32 {
  let units = units_of(code);
  let unit = select(params.emin, 0, params.integer == 1u) - params.mantissa_bits;
  return scaled(units.whole, i32(byte) - 127 + unit + i32(units.shift));
}
`;
