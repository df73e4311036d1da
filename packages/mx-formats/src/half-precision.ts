import { checkedOut } from './checked-out.js';
import { wordsOf } from './round-block.js';

const quietNaN = 0x7fc00000;

/**
 * Rounds float32 values to bfloat16 (8 exponent and 7 mantissa bits), ties to even, and returns them as float32.
 * Overflow gives an infinity, as IEEE 754 has it; subnormals, infinities and the sign of zero are kept; every NaN
 * becomes the quiet one of its sign.
 *
 * @param out where to write; `values` itself to work in place. Default: a new array
 */
export function roundToBfloat16(values: Float32Array, out?: Float32Array): Float32Array {
  const result = checkedOut(values, out);
  const source = wordsOf(values).bits;
  const target = wordsOf(result).bits;
  for (let i = 0; i < source.length; i++) {
    const word = source[i]!;
    target[i] =
      (word & 0x7fffffff) > 0x7f800000
        ? (word & 0x80000000) | quietNaN
        : (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  }
  return result;
}

/**
 * Rounds float32 values to IEEE 754 binary16 (5 exponent and 10 mantissa bits), ties to even, and returns them as
 * float32. Magnitudes from 65520 on give an infinity; subnormals (multiples of 2^-24), infinities and the sign of zero
 * are kept; every NaN becomes the quiet one of its sign.
 *
 * @param out where to write; `values` itself to work in place. Default: a new array
 */
export function roundToFloat16(values: Float32Array, out?: Float32Array): Float32Array {
  const result = checkedOut(values, out);
  const source = wordsOf(values);
  const target = wordsOf(result);
  for (let i = 0; i < source.bits.length; i++) {
    const word = source.bits[i]!;
    const sign = word & 0x80000000;
    const magnitude = word & 0x7fffffff;
    if (magnitude >= 0x47800000) {
      // 2^16 and beyond, infinities and NaNs.
      target.bits[i] = sign | (magnitude > 0x7f800000 ? quietNaN : 0x7f800000);
    } else if (magnitude >= 0x38800000) {
      const rounded = (magnitude + 0xfff + ((magnitude >>> 13) & 1)) & ~0x1fff;
      target.bits[i] = sign | (rounded >= 0x47800000 ? 0x7f800000 : rounded);
    } else {
      // Below 2^-14 the spacing is 2^-24: 2^28 is 2^52 of it, so float64 addition rounds there.
      target.floats[i] = Math.abs(source.floats[i]!) + 2 ** 28 - 2 ** 28;
      target.bits[i] = target.bits[i]! | sign;
    }
  }
  return result;
}
