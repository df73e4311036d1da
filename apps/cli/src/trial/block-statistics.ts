import type { BlockFormat } from '@lmd/mx-formats';

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** ⌊log2 |value|⌋ from the bits of the float. A floating-point logarithm is wrong just below powers of two. */
function exponentOf(value: number): number {
  float[0] = Math.abs(value);
  if (bits[0]! < 0x00800000) return Math.floor(Math.log2(float[0]!));
  return (bits[0]! >>> 23) - 127;
}

/**
 * The fraction of blocks whose largest magnitude A is clipped, because it exceeds the range under the OCP scale
 * 2^(⌊log2 A⌋ − emax): A > largest · scale. Blocks run along the last axis of `rows` × `length`; blocks of zeros count
 * as not clipped.
 */
export function clippedShare(values: Float32Array, length: number, format: BlockFormat): number {
  const { blockSize, element } = format;
  let blocks = 0;
  let clipped = 0;
  for (let row = 0; row < values.length; row += length) {
    for (let from = row; from < row + length; from += blockSize) {
      const to = Math.min(from + blockSize, row + length);
      let largest = 0;
      for (let index = from; index < to; index++) largest = Math.max(largest, Math.abs(values[index]!));
      blocks++;
      if (largest === 0 || !Number.isFinite(largest)) continue;
      const scale = 2 ** Math.max(-127, Math.min(127, exponentOf(largest) - element.emax));
      if (largest > element.largest * scale) clipped++;
    }
  }
  return blocks === 0 ? 0 : clipped / blocks;
}

/** The fourth standardized moment, 3 for a normal distribution; NaN if all values are equal. */
export function kurtosis(values: ArrayLike<number>): number {
  const count = values.length;
  let sum = 0;
  for (let index = 0; index < count; index++) sum += values[index]!;
  const mean = sum / count;
  let second = 0;
  let fourth = 0;
  for (let index = 0; index < count; index++) {
    const square = (values[index]! - mean) ** 2;
    second += square;
    fourth += square * square;
  }
  return fourth / count / (second / count) ** 2;
}
