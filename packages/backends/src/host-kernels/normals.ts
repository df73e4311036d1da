import { fillRandomBits, normalsFromBits, type RandomKey } from '@lmd/core';

/** Elements drawn at a time: bits and normals of a block stay in the first-level cache. A multiple of 4. */
export const normalBlock = 1024;

/** Draws the normals of one key block by block, so that noise is used where it is made and never stored. */
export class NormalBlocks {
  readonly #bits = new Int32Array(normalBlock);

  /** The `count` normals of elements from `start` on, which is a multiple of `normalBlock`, and maybe one more. */
  draw(key: RandomKey, start: number, count: number): Float64Array {
    const pairs = count + (count & 1);
    const bits = pairs === normalBlock ? this.#bits : this.#bits.subarray(0, pairs);
    fillRandomBits(bits, key, start / 4);
    return normalsFromBits(bits);
  }
}

/** The key of the negative half's noise: the same, with the stream's complement. */
export function complementKey(key: RandomKey): RandomKey {
  return { ...key, stream: ~key.stream >>> 0 };
}
