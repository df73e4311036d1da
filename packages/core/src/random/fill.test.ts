import { describe, expect, it } from 'vitest';
import { LmdError } from '../errors.js';
import { normalsFromBits } from './box-muller.js';
import { fillRandomNormal, fillRandomUniform } from './fill.js';
import { fillRandomBits } from './philox.js';
import { assertRandomKey } from './random-key.js';
import { streamOf } from './stream.js';

const key = { seed: 20260701, stream: 12, step: 5, sample: 0 };

function bitsOf(count: number): Uint32Array {
  const bits = new Uint32Array(count);
  fillRandomBits(bits, key);
  return bits;
}

describe('fillRandomUniform', () => {
  it.each([0, 1, 7, 2048, 2051, 5000])('gives the upper 24 bits times 2^-24 for %i elements', (count) => {
    const out = new Float32Array(count);
    fillRandomUniform(out, key);
    expect([...out]).toEqual([...bitsOf(count)].map((word) => (word >>> 8) / 2 ** 24));
  });
});

describe('normals', () => {
  it('follow Box–Muller to a few ulp for every kind of word', () => {
    const bits = Uint32Array.of(
      0,
      0,
      0xffffffff,
      0xffffffff,
      0xffffff00,
      0x40000000,
      0xff,
      0x80000000,
      5 << 8,
      3 << 30,
    );
    const both = new Uint32Array([...bits, ...bitsOf(4000)]);
    const normals = normalsFromBits(both);
    for (let i = 0; i < both.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(((both[i]! >>> 8) + 1) / 2 ** 24));
      const angle = (2 * Math.PI * (both[i + 1]! >>> 8)) / 2 ** 24;
      expect(Math.abs(normals[i]! - radius * Math.cos(angle))).toBeLessThan(1e-14);
      expect(Math.abs(normals[i + 1]! - radius * Math.sin(angle))).toBeLessThan(1e-14);
    }
  });

  it('are never infinite: the smallest u1 is 2^-24', () => {
    expect(normalsFromBits(Uint32Array.of(0, 0))[0]).toBeCloseTo(Math.sqrt(48 * Math.LN2), 14);
  });

  it.each([1, 2, 3, 5, 2049, 6002])('fill %i elements with the start of one sequence', (count) => {
    const whole = normalsFromBits(bitsOf(8192));
    const wide = new Float64Array(count);
    fillRandomNormal(wide, key);
    expect([...wide]).toEqual([...whole.subarray(0, count)]);
    const narrow = new Float32Array(count);
    fillRandomNormal(narrow, key);
    expect([...narrow]).toEqual([...Float32Array.from(whole.subarray(0, count))]);
  });

  it('have mean 0, variance 1 and kurtosis 3', () => {
    const count = 400_000;
    const out = new Float64Array(count);
    fillRandomNormal(out, key);
    const moment = (power: number) => out.reduce((sum, value) => sum + value ** power, 0) / count;
    // Five standard errors of each moment.
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
  });

  it('refuse half a pair', () => {
    expect(() => normalsFromBits(new Uint32Array(3))).toThrow(LmdError);
  });
});

describe('assertRandomKey', () => {
  it.each([
    ['seed', 2 ** 53],
    ['seed', -1],
    ['stream', 2 ** 32],
    ['step', 0.5],
    ['sample', Number.NaN],
  ])('refuses %s = %d by name', (part, value) => {
    expect(() => assertRandomKey({ ...key, [part]: value }, 'randomNormal')).toThrow(
      `randomNormal: key.${part} is ${value}`,
    );
  });

  it('refuses what is no key', () => {
    expect(() => assertRandomKey(undefined as never, 'randomBits')).toThrow('randomBits: the key is undefined.');
  });

  it('takes the largest of each', () => {
    const word = 2 ** 32 - 1;
    expect(() => assertRandomKey({ seed: 2 ** 53 - 1, stream: word, step: word, sample: word }, 'x')).not.toThrow();
  });
});

describe('streamOf', () => {
  // The published FNV-1a 32-bit test vectors, and UTF-8 of one to four bytes against bytes hashed one by one.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('hashes %j', (name, hash) => {
    expect(streamOf(name)).toBe(hash);
  });

  it.each([
    ['é', [0xc3, 0xa9]],
    ['€', [0xe2, 0x82, 0xac]],
    ['😀', [0xf0, 0x9f, 0x98, 0x80]],
    ['a\ud800', [0x61, 0xef, 0xbf, 0xbd]],
  ])('encodes %j as UTF-8', (name, bytes) => {
    let hash = 0x811c9dc5;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    expect(streamOf(name)).toBe(hash >>> 0);
  });
});
