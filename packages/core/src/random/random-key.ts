import { describeValue, LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';

/** Throws `INVALID_ARGUMENT` unless every part of the key is an integer in its range. */
export function assertRandomKey(key: RandomKey, operation: string): void {
  if (typeof key !== 'object' || key === null) {
    throw new LmdError('INVALID_ARGUMENT', `${operation}: the key is ${describeValue(key)}.`, {
      subject: 'key',
      value: key,
      remedy: 'Pass { seed, stream, step, sample }.',
    });
  }
  const { seed, stream, step, sample } = key;
  if (
    isIntegerBelow(seed, 2 ** 53) &&
    isIntegerBelow(stream, 2 ** 32) &&
    isIntegerBelow(step, 2 ** 32) &&
    isIntegerBelow(sample, 2 ** 32)
  ) {
    return;
  }
  for (const part of ['seed', 'stream', 'step', 'sample'] as const) {
    const bits = part === 'seed' ? 53 : 32;
    if (isIntegerBelow(key[part], 2 ** bits)) continue;
    throw new LmdError('INVALID_ARGUMENT', `${operation}: key.${part} is ${describeValue(key[part])}.`, {
      subject: `key.${part}`,
      value: key[part],
      remedy: `It must be an integer in [0, 2^${bits}).`,
    });
  }
}

function isIntegerBelow(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < limit;
}
