import { describeValue, MxFormatError } from './errors.js';

/**
 * Identifies a stream of random numbers: the same key gives the same bits on every machine, without state. It has the
 * fields of `RandomKey` of `@lmd/core`.
 */
export interface RandomKey {
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Which consumer: unsigned 32 bits. */
  readonly stream: number;
  /** Unsigned 32 bits. */
  readonly step: number;
  /** Unsigned 32 bits. */
  readonly sample: number;
}

/** @throws MxFormatError `INVALID_ARGUMENT` for a part that is not an integer in its range. */
export function checkRandomKey(key: RandomKey): void {
  if (typeof key !== 'object' || key === null) {
    throw new MxFormatError('INVALID_ARGUMENT', `The random key is ${describeValue(key)}.`, {
      subject: 'key',
      value: key,
      remedy: 'Pass { seed, stream, step, sample }.',
    });
  }
  checkPart('seed', key.seed, 2 ** 53);
  checkPart('stream', key.stream, 2 ** 32);
  checkPart('step', key.step, 2 ** 32);
  checkPart('sample', key.sample, 2 ** 32);
}

function checkPart(subject: string, value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= limit) {
    throw new MxFormatError('INVALID_ARGUMENT', `The ${subject} of a random key is ${describeValue(value)}.`, {
      subject,
      value,
      remedy: `Use an integer from 0 to 2^${Math.log2(limit)} − 1.`,
    });
  }
}

/** The high 32 bits of the product of two unsigned 32-bit integers, as a signed one. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Every partial sum stays below 2^32: (2^16 − 1)² + 2·(2^16 − 1) = 2^32 − 1.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const low = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (low >>> 16)) | 0;
}

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the four words of a counter
 * under a key, written to `out`. Everything is a 32-bit integer, of either sign.
 */
export function philox4x32(
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
  out: Int32Array,
): void {
  let c0 = counter0 | 0;
  let c1 = counter1 | 0;
  let c2 = counter2 | 0;
  let c3 = counter3 | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0 >>> 0);
    const high1 = multiplyHigh(0xcd9e8d57, c2 >>> 0);
    const low0 = Math.imul(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c2 = high0 ^ c3 ^ k1;
    c1 = low1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

const words = new Int32Array(4);

/**
 * Writes the random words that belong to the elements `start` … `start + count − 1` into `out`. Element i has lane i
 * mod 4 of counter (stream, step, sample, ⌊i / 4⌋) under the key (seed low, seed high).
 */
export function philoxWords(key: RandomKey, start: number, count: number, out: Int32Array): void {
  const { seed, stream, step, sample } = key;
  const seedHigh = Math.floor(seed / 2 ** 32);
  const end = start + count;
  for (let element = start; element < end; ) {
    const group = Math.floor(element / 4);
    philox4x32(stream, step, sample, group, seed, seedHigh, words);
    const next = Math.min(group * 4 + 4, end);
    for (; element < next; element++) out[element - start] = words[element - group * 4]!;
  }
}
