import type { RandomKey } from '../formats.js';
import { writeNormals } from './box-muller.js';
import { fillRandomBits } from './philox.js';

/** Elements worked on at a time, a multiple of 4: their bits stay in the first-level cache. */
const chunk = 2048;

/** Uniforms in [0, 1): the upper 24 bits of each element's random word times 2^-24, exact in f32. */
export function fillRandomUniform(out: Float32Array | Float64Array, key: RandomKey): void {
  fillByChunks(out, key, writeUniforms);
}

/** Standard normals by Box–Muller (`normalsFromBits`), computed in float64 and rounded to what `out` stores. */
export function fillRandomNormal(out: Float32Array | Float64Array, key: RandomKey): void {
  fillByChunks(out, key, writeNormals);
}

function fillByChunks(out: Float32Array | Float64Array, key: RandomKey, write: typeof writeUniforms): void {
  const bits = new Int32Array(Math.min(chunk, out.length + (out.length % 2)));
  for (let start = 0; start < out.length; start += chunk) {
    const count = Math.min(chunk, out.length - start);
    // A normal needs the whole pair of words, also where the tensor ends in the middle of it.
    fillRandomBits(bits.subarray(0, count + (count % 2)), key, start / 4);
    write(bits, out, start, count);
  }
}

function writeUniforms(
  bits: Int32Array | Uint32Array,
  out: Float32Array | Float64Array,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[start + i] = (bits[i]! >>> 8) * 2 ** -24;
}
