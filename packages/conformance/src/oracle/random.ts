import { philox4x32, type RandomKey, sizeOf } from '@lmd/core';
import { result, type Values } from '../values.js';

/**
 * The unsigned random word of each element, from the definition: lane i & 3 of the Philox4x32-10 block with counter
 * (stream, step, sample, i >> 2) and key (seed mod 2^32, ⌊seed / 2^32⌋).
 */
function randomWords(count: number, key: RandomKey): Float64Array {
  const words = new Float64Array(count);
  for (let block = 0; block * 4 < count; block++) {
    const lanes = philox4x32(
      [key.stream, key.step, key.sample, block],
      [key.seed % 2 ** 32, Math.floor(key.seed / 2 ** 32)],
    );
    for (let lane = 0; lane < 4 && block * 4 + lane < count; lane++) words[block * 4 + lane] = lanes[lane]!;
  }
  return words;
}

export function randomBits(shape: readonly number[], key: RandomKey): Values {
  const data = randomWords(sizeOf(shape), key).map((word) => word | 0);
  return result(shape, data, undefined, undefined, 'i32');
}

export function randomUniform(shape: readonly number[], key: RandomKey): Values {
  return result(
    shape,
    randomWords(sizeOf(shape), key).map((word) => Math.floor(word / 2 ** 8) * 2 ** -24),
  );
}

/**
 * Box–Muller (core's `normalsFromBits` states it): r = √(−2 ln u₁), r·cos 2πu₂ and r·sin 2πu₂ of each pair of words.
 */
export function randomNormal(shape: readonly number[], key: RandomKey): Values {
  const size = sizeOf(shape);
  const words = randomWords(size + (size % 2), key);
  const data = new Float64Array(size);
  const magnitudes = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const pair = i - (i % 2);
    const radius = Math.sqrt(-2 * Math.log((Math.floor(words[pair]! / 2 ** 8) + 1) * 2 ** -24));
    const angle = 2 * Math.PI * Math.floor(words[pair + 1]! / 2 ** 8) * 2 ** -24;
    data[i] = radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    magnitudes[i] = radius;
  }
  return result(shape, data, magnitudes);
}
