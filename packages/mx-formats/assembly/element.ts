// One element at a time, in float64, as in `round-block.ts`: for blocks that the vector kernels leave out.

import {
  bias,
  bits,
  emin,
  largestBits,
  largestCode,
  NEAREST_AWAY,
  NEAREST_EVEN,
  rounding,
  significantBits,
  TOWARD_ZERO,
  twosComplement,
} from './settings';

// @ts-expect-error: decorators are AssemblyScript's
@inline
function powerOfTwo(exponent: i32): f64 {
  return reinterpret<f64>((<i64>(exponent + 1023)) << 52);
}

/** ⌊log2⌋ of a value divided by the scale; of zero, something small. */
function scaledExponent(word: i32, byte: i32): i32 {
  const magnitude = word & 0x7fffffff;
  const field = magnitude >> 23;
  return (field == 0 ? 9 - <i32>clz(magnitude | 1) : field) - byte;
}

/** The rounded magnitude, in quanta of its binade. */
function roundedQuanta(word: i32, byte: i32, random: i32): f64 {
  const own = scaledExponent(word, byte);
  const exponent = max(own, emin);
  const exact = abs(<f64>reinterpret<f32>(word)) * powerOfTwo(127 - byte) * powerOfTwo(significantBits - exponent);
  let magic: f64 = 4503599627370496;
  // Without mantissa bits, an odd offset turns a tie towards the even code (see `grid.ts`).
  if (significantBits == 0 && own >= emin && ((own + bias) & 1) == 0) magic += 1;
  const nearest = exact + magic - magic;
  if (rounding == NEAREST_EVEN) return nearest;
  const truncated = nearest > exact ? nearest - 1 : nearest;
  if (rounding == TOWARD_ZERO) return truncated;
  const beyond = exact - truncated;
  const up = rounding == NEAREST_AWAY ? beyond >= 0.5 : <f64>(<u32>random >> 8) * 5.9604644775390625e-8 < beyond;
  return up ? truncated + 1 : truncated;
}

/** An element rounded under the scale 2^(byte − 127), as float32 bits. */
export function roundElement(word: i32, byte: i32, random: i32): i32 {
  const exponent = max(scaledExponent(word, byte), emin);
  const quanta = roundedQuanta(word, byte, random);
  const magnitude = min(quanta * powerOfTwo(exponent - significantBits), <f64>reinterpret<f32>(largestBits));
  const rounded = reinterpret<i32>(<f32>(magnitude * powerOfTwo(byte - 127)));
  return twosComplement && rounded == 0 ? 0 : rounded | (word & 0x80000000);
}

/** The code of an element under the scale 2^(byte − 127). */
export function encodeElement(word: i32, byte: i32, random: i32): i32 {
  const exponent = max(scaledExponent(word, byte), emin);
  const quanta = min(roundedQuanta(word, byte, random), 65536);
  const code = min(((exponent - emin) << significantBits) + <i32>quanta, largestCode);
  if (word >= 0) return code;
  const half = 1 << (bits - 1);
  return twosComplement ? -code & (2 * half - 1) : code | half;
}
