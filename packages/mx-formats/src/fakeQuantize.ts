import { MxFormatError } from './errors.js';
import { type Plan, planOf, type QuantizeOptions } from './options.js';
import { philoxWords } from './philox.js';
import { largestMagnitude, roundBlock, type Words, wordsOf } from './roundBlock.js';
import { scaleByte } from './scale.js';

/**
 * Quantizes to a block format and back: each value is replaced by the float32 value of its nearest code under its block's scale.
 * The result has the very bits of `dequantize(quantize(values, options))`, without making the codes.
 *
 * A block with a NaN or an infinity becomes all NaN. −0 keeps its sign (in MXINT8 it becomes +0). A result beyond float32, which
 * only a block within a factor of two of 2^128 can give under `ceil` and `even`, is infinite.
 *
 * @param values float32 values, row-major; a view into a larger buffer is fine
 * @param out where to write; `values` itself to work in place. Default: a new array
 * @throws MxFormatError for options that are unknown or do not fit the values
 */
export function fakeQuantize(values: Float32Array, options: QuantizeOptions, out?: Float32Array): Float32Array {
  const plan = planOf(values.length, options);
  const result = checkedOut(values, out);
  const source = wordsOf(values);
  const target = result === values ? source : wordsOf(result);
  if (plan.inner === 1) alongRows(plan, source, target);
  else acrossRows(plan, source, target);
  return result;
}

/** @throws MxFormatError where `out` has another length, or overlaps `values` without being the same elements. */
export function checkedOut(values: Float32Array, out: Float32Array | undefined): Float32Array {
  if (out === undefined) return new Float32Array(values.length);
  if (out.length !== values.length) {
    throw new MxFormatError('SHAPE_MISMATCH', `\`out\` has ${out.length} elements for ${values.length} values.`, {
      subject: 'out',
      value: out.length,
      remedy: 'Pass an array of the same length.',
    });
  }
  const distance = Math.abs(out.byteOffset - values.byteOffset);
  if (out.buffer === values.buffer && distance > 0 && distance < values.byteLength) {
    throw new MxFormatError('INVALID_ARGUMENT', `\`out\` overlaps the values, ${distance} bytes apart.`, {
      subject: 'out',
      value: distance,
      remedy: 'Pass the very same elements to work in place, or memory apart from them.',
    });
  }
  return out;
}

/** Blocks of consecutive memory. */
function alongRows(
  { grid, rounding, scaleMode, key, outer, length, blockSize }: Plan,
  source: Words,
  target: Words,
): void {
  const random = new Int32Array(rounding === 'stochastic' ? Math.min(blockSize, length) : 0);
  for (let row = 0; row < outer; row++) {
    const rowEnd = (row + 1) * length;
    for (let start = row * length; start < rowEnd; start += blockSize) {
      const end = Math.min(start + blockSize, rowEnd);
      const byte = scaleByte(grid, scaleMode, largestMagnitude(source.bits, start, end));
      if (rounding === 'stochastic') philoxWords(key!, start, end - start, random);
      roundBlock(grid, rounding, byte, source, target, start, end, random);
    }
  }
}

/** Columns taken at once: a cache line of float32, so that a strided block costs no more memory traffic than its bytes. */
const tileWidth = 16;

/** Blocks with a stride: a tile of them is gathered into a small array, rounded there, and put in place. */
function acrossRows(
  { grid, rounding, scaleMode, key, outer, length, inner, blockSize }: Plan,
  source: Words,
  target: Words,
): void {
  const height = Math.min(blockSize, length);
  const tile = wordsOf(new Float32Array(tileWidth * height));
  const stochastic = rounding === 'stochastic';
  const rowWords = new Int32Array(stochastic ? tileWidth : 0);
  const tileWords = new Int32Array(stochastic ? tile.bits.length : 0);
  for (let slab = 0; slab < outer; slab++) {
    for (let first = 0; first < length; first += blockSize) {
      const rows = Math.min(blockSize, length - first);
      for (let column = 0; column < inner; column += tileWidth) {
        const width = Math.min(tileWidth, inner - column);
        const origin = (slab * length + first) * inner + column;
        for (let row = 0; row < rows; row++) {
          const from = origin + row * inner;
          for (let j = 0; j < width; j++) tile.bits[j * rows + row] = source.bits[from + j]!;
          if (stochastic) {
            philoxWords(key!, from, width, rowWords);
            for (let j = 0; j < width; j++) tileWords[j * rows + row] = rowWords[j]!;
          }
        }
        for (let j = 0; j < width; j++) {
          const start = j * rows;
          const end = start + rows;
          const byte = scaleByte(grid, scaleMode, largestMagnitude(tile.bits, start, end));
          roundBlock(
            grid,
            rounding,
            byte,
            tile,
            tile,
            start,
            end,
            stochastic ? tileWords.subarray(start, end) : tileWords,
          );
        }
        for (let row = 0; row < rows; row++) {
          const to = origin + row * inner;
          for (let j = 0; j < width; j++) target.bits[to + j] = tile.bits[j * rows + row]!;
        }
      }
    }
  }
}
