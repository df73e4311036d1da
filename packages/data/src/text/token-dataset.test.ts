import { describe, expect, it } from 'vitest';
import { rejection } from '../../test/temporary-folder.js';
import { partOf, tokenDataset, tokensInMemory } from './index.js';

const tokens = Uint16Array.from({ length: 11 }, (_, index) => index);

describe('tokenDataset', () => {
  it('cuts windows whose labels are the next tokens', async () => {
    const dataset = tokenDataset(tokensInMemory('t', tokens, 11), { length: 3 });
    expect(dataset).toMatchObject({ name: 't/3', size: 3, classes: 11, inputShape: [3] });
    const { inputs, labels } = await dataset.batch(Int32Array.of(2, 0));
    expect(inputs).toEqual({ data: Int32Array.of(6, 7, 8, 0, 1, 2), shape: [2, 3], dtype: 'i32' });
    expect(labels).toEqual({ data: Int32Array.of(7, 8, 9, 1, 2, 3), shape: [2, 3] });
  });

  it.each([
    [10, 1],
    [9, 1],
    [5, 2],
    [4, 2],
    [1, 10],
  ])('a context of %i gives %i examples', (length, size) => {
    expect(tokenDataset(tokensInMemory('t', tokens, 11), { length }).size).toBe(size);
  });

  it('lets windows overlap', async () => {
    const dataset = tokenDataset(tokensInMemory('t', tokens, 11), { length: 4, stride: 2 });
    expect(dataset.size).toBe(4);
    expect(dataset.name).toBe('t/4/2');
    expect((await dataset.batch(Int32Array.of(3))).labels.data).toEqual(Int32Array.of(7, 8, 9, 10));
  });

  it('refuses a context longer than the tokens, and says how long it may be', () => {
    expect(() => tokenDataset(tokensInMemory('t', tokens, 11), { length: 11 })).toThrow(
      /length is 11, which needs 12 tokens, but "t" has 11\. Use at most 10/,
    );
    expect(() => tokenDataset(tokensInMemory('t', tokens, 11), { length: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => tokenDataset(tokensInMemory('t', tokens, 11), { length: 1, size: 3 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', subject: 'size' }),
    );
  });

  it('names the token that is none of the vocabulary', async () => {
    const dataset = tokenDataset(tokensInMemory('t', tokens, 9), { length: 3 });
    expect(await rejection(Promise.resolve(dataset.batch(Int32Array.of(1, 2))))).toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('Token 9 of "t" is 9'),
    });
  });
});

describe('partOf', () => {
  const names = Array.from({ length: 4000 }, (_, index) => `document ${index}`);

  it('holds out about the fraction', () => {
    const held = names.filter((name) => partOf(name, 0.1, 3) === 'validation').length;
    // Five standard deviations of a binomial.
    expect(Math.abs(held - 400)).toBeLessThan(5 * Math.sqrt(4000 * 0.1 * 0.9));
    expect(names.every((name) => partOf(name, 0, 3) === 'train')).toBe(true);
    expect(names.every((name) => partOf(name, 1, 3) === 'validation')).toBe(true);
  });

  it('is a function of seed and name, and only grows with the fraction', () => {
    const parts = (fraction: number, seed: number) => names.map((name) => partOf(name, fraction, seed));
    expect(parts(0.3, 1)).toEqual(parts(0.3, 1));
    expect(parts(0.3, 2)).not.toEqual(parts(0.3, 1));
    const more = parts(0.3, 1);
    parts(0.1, 1).forEach((part, index) => {
      if (part === 'validation') expect(more[index]).toBe('validation');
    });
  });
});
