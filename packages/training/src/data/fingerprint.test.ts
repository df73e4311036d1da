import { describe, expect, it } from 'vitest';
import { arrayDataset, fingerprintOf, imageDataset, split } from '../index.js';

describe('fingerprintOf', () => {
  it('is a function of the contents, wherever an array begins in its buffer', () => {
    const bytes = Uint8Array.from({ length: 103 }, (_, index) => (index * 37) & 255);
    const shifted = new Uint8Array(106);
    shifted.set(bytes, 3);
    const print = fingerprintOf(['name', 7, bytes]);
    expect(print).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintOf(['name', 7, shifted.subarray(3)])).toBe(print);
  });

  it('differs for every changed bit, for another order, and for the same bytes cut elsewhere', () => {
    const bytes = new Uint8Array(13);
    const seen = new Set([fingerprintOf([bytes])]);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      seen.add(fingerprintOf([bytes]));
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
    }
    expect(seen.size).toBe(8 * bytes.length + 1);
    // Two changed signs, which cancel in a hash that only multiplies.
    expect(fingerprintOf([Float32Array.of(-1, -1)])).not.toBe(fingerprintOf([Float32Array.of(1, 1)]));
    expect(fingerprintOf(['ab', 'c'])).not.toBe(fingerprintOf(['a', 'bc']));
    expect(fingerprintOf(['a', 'b'])).not.toBe(fingerprintOf(['b', 'a']));
    expect(fingerprintOf(['a'])).not.toBe(fingerprintOf([Uint8Array.of(97)]));
  });
});

describe('the fingerprint of a data set', () => {
  const arrays = (change = 0) =>
    arrayDataset({
      name: 'numbers',
      inputs: Float32Array.of(1, 2, 3, 4 + change),
      inputShape: [1],
      labels: [0, 1, 0, 1],
      classes: 2,
    });
  const images = (labels: number[]) =>
    imageDataset({ name: 'x', images: new Uint8Array(4), labels, height: 1, width: 1, channels: 1, classes: 2 });

  it('tells other values and other labels of the same name and size', () => {
    expect(arrays().fingerprint).toBe(arrays().fingerprint);
    expect(arrays().fingerprint).not.toBe(arrays(1).fingerprint);
    expect(images([0, 1, 0, 1]).fingerprint).toBe(images([0, 1, 0, 1]).fingerprint);
    expect(images([0, 1, 0, 1]).fingerprint).not.toBe(images([0, 1, 1, 1]).fingerprint);
  });

  it('passes to the parts of a split, which differ, and is absent where the whole has none', () => {
    const parts = split(arrays(), { validation: 2, seed: 0 });
    expect(parts.train.fingerprint).toBe(split(arrays(), { validation: 2, seed: 0 }).train.fingerprint);
    expect(parts.train.fingerprint).not.toBe(parts.validation.fingerprint);
    expect(parts.train.fingerprint).not.toBe(split(arrays(1), { validation: 2, seed: 0 }).train.fingerprint);
    const { name, size, inputShape, batch } = arrays();
    const without = split({ name, size, inputShape, batch }, { validation: 2, seed: 0 });
    expect(without.train.fingerprint).toBeUndefined();
  });
});
