import type { RandomKey } from '@lmd/core';

/** The lower and upper 32 bits of the seed: the key of Philox. */
export function seedWords({ seed }: RandomKey): [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}
