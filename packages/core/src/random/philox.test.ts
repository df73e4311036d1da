import { describe, expect, it } from 'vitest';
import { fillRandomBits, philox4x32 } from './philox.js';

describe('philox4x32', () => {
  // Random123 1.14, tests/kat_vectors: philox4x32 10.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the known answer for counter %j, key %j', (counter, key, answer) => {
    expect([...philox4x32(counter, key)]).toEqual([...answer]);
    expect([...philox4x32(Uint32Array.from(counter), key)]).toEqual([...answer]);
  });

  it('agrees with 64-bit arithmetic on arbitrary words', () => {
    let words = philox4x32([1, 2, 3, 4], [5, 6]);
    for (let i = 0; i < 200; i++) {
      const [c0, c1, c2, c3] = words as unknown as [number, number, number, number];
      const key: [number, number] = [c3 ^ i, c0];
      const next = philox4x32(words, key);
      expect([...next]).toEqual(inBigIntegers([c0, c1, c2, c3], key));
      words = next;
    }
  });
});

describe('fillRandomBits', () => {
  const key = { seed: 2 ** 33 + 7, stream: 0xdeadbeef, step: 3, sample: 1 };

  it('takes word i & 3 of block i >> 2, with counter (stream, step, sample, block) and key (seed low, seed high)', () => {
    const bits = new Uint32Array(11);
    fillRandomBits(bits, key);
    for (let i = 0; i < bits.length; i++) {
      expect(bits[i]).toBe(philox4x32([key.stream, key.step, key.sample, i >> 2], [7, 2])[i & 3]);
    }
  });

  it('is the same through an Int32Array, at an offset, and in parts', () => {
    const whole = new Uint32Array(40);
    fillRandomBits(whole, key);
    const signed = new Int32Array(48).subarray(3, 43);
    fillRandomBits(signed, key);
    expect([...signed].map((word) => word >>> 0)).toEqual([...whole]);
    const part = new Uint32Array(13);
    fillRandomBits(part, key, 4);
    expect([...part]).toEqual([...whole.subarray(16, 29)]);
  });
});

function inBigIntegers(counter: number[], key: number[]): number[] {
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word >>> 0)) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map((word) => BigInt(word >>> 0)) as [bigint, bigint];
  const mask = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const p0 = c0 * 0xd2511f53n;
    const p1 = c2 * 0xcd9e8d57n;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}
