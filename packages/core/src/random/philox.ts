import type { RandomKey } from '../formats.js';
import { isTypedArray } from '../tensor.js';

/**
 * Philox4x32-10: Salmon, Moraes, Dror & Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), section 3.3. A
 * keyed permutation of 128-bit counters, so any part of any stream is made on its own, in any order, on any device.
 */
const multiplier0 = 0xd251_1f53;
const multiplier1 = 0xcd9e_8d57;
const weyl0 = 0x9e37_79b9;
const weyl1 = 0xbb67_ae85;
const rounds = 10;

// JavaScript has no 32 × 32 → 64 multiply; the high word is put together from 16-bit halves, all in int32 registers.
const low0 = multiplier0 & 0xffff;
const high0 = multiplier0 >>> 16;
const low1 = multiplier1 & 0xffff;
const high1 = multiplier1 >>> 16;

/** Writes the four words of one counter block at `offset`. */
function writeBlock(
  out: Int32Array,
  offset: number,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  keyLow: number,
  keyHigh: number,
): void {
  let c0 = counter0 | 0;
  let c1 = counter1 | 0;
  let c2 = counter2 | 0;
  let c3 = counter3 | 0;
  let k0 = keyLow | 0;
  let k1 = keyHigh | 0;
  for (let round = 0; round < rounds; round++) {
    const c0Low = c0 & 0xffff;
    const c0High = c0 >>> 16;
    const middle0 = (Math.imul(c0High, low0) + (Math.imul(c0Low, low0) >>> 16)) | 0;
    const cross0 = (Math.imul(c0Low, high0) + (middle0 & 0xffff)) | 0;
    const productHigh0 = (Math.imul(c0High, high0) + (middle0 >>> 16) + (cross0 >>> 16)) | 0;

    const c2Low = c2 & 0xffff;
    const c2High = c2 >>> 16;
    const middle1 = (Math.imul(c2High, low1) + (Math.imul(c2Low, low1) >>> 16)) | 0;
    const cross1 = (Math.imul(c2Low, high1) + (middle1 & 0xffff)) | 0;
    const productHigh1 = (Math.imul(c2High, high1) + (middle1 >>> 16) + (cross1 >>> 16)) | 0;

    const productLow0 = Math.imul(c0, multiplier0);
    c0 = productHigh1 ^ c1 ^ k0;
    c1 = Math.imul(c2, multiplier1);
    c2 = productHigh0 ^ c3 ^ k1;
    c3 = productLow0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** Four unsigned 32-bit random words for one counter (four words) and key (two words). Words are taken modulo 2^32. */
export function philox4x32(
  counter: readonly [number, number, number, number] | Uint32Array,
  key: readonly [number, number] | Uint32Array,
): Uint32Array {
  const words = new Uint32Array(4);
  const [c0, c1, c2, c3] = counter as readonly [number, number, number, number];
  const [k0, k1] = key as readonly [number, number];
  writeBlock(new Int32Array(words.buffer), 0, c0, c1, c2, c3, k0, k1);
  return words;
}

/**
 * The random bits of elements `firstBlock · 4` and on of a tensor: element i takes word i mod 4 of the block with
 * counter (stream, step, sample, ⌊i / 4⌋) and key (seed mod 2^32, ⌊seed / 2^32⌋). Allocates nothing per element.
 * `firstBlock` lets several workers fill parts of one tensor. The key is not checked here; `assertRandomKey` does that.
 */
export function fillRandomBits(out: Int32Array | Uint32Array, key: RandomKey, firstBlock = 0): void {
  // One element kind for the loop below, so that the compiled code stays monomorphic.
  const words = isTypedArray(out, 'Int32Array') ? out : new Int32Array(out.buffer, out.byteOffset, out.length);
  const { stream, step, sample } = key;
  const keyLow = key.seed | 0;
  const keyHigh = Math.floor(key.seed / 0x1_0000_0000);
  const whole = words.length - (words.length % 4);
  for (let offset = 0, block = firstBlock; offset < whole; offset += 4, block++) {
    writeBlock(words, offset, stream, step, sample, block, keyLow, keyHigh);
  }
  if (whole < words.length) {
    const last = new Int32Array(4);
    writeBlock(last, 0, stream, step, sample, firstBlock + whole / 4, keyLow, keyHigh);
    words.set(last.subarray(0, words.length - whole), whole);
  }
}
