import { runInNewContext } from 'node:vm';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { arrayDataset } from './array-dataset.js';
import { imageDataset } from './image-dataset.js';
import { split, subset } from './subset.js';

const thrown = (body: () => unknown): unknown => {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('It did not throw.');
};

const images = {
  name: 'images',
  images: Uint8Array.from({ length: 2 * 1 * 2 * 3 }, (_, index) => index * 20),
  labels: [1, 0],
  height: 1,
  width: 2,
  channels: 3,
  classes: 2,
};

describe('imageDataset', () => {
  it('normalises by channel', async () => {
    const dataset = imageDataset({ ...images, mean: [0.5, 0.25, 0], standardDeviation: [0.5, 1, 2] });
    const { inputs, labels } = await dataset.batch(Int32Array.of(1, 0));
    expect(inputs.shape).toEqual([2, 1, 2, 3]);
    expect([...labels.data]).toEqual([0, 1]);
    const expected = [120, 140, 160, 180, 200, 220, 0, 20, 40, 60, 80, 100].map((byte, index) =>
      Math.fround((byte / 255 - [0.5, 0.25, 0][index % 3]!) / [0.5, 1, 2][index % 3]!),
    );
    expect([...inputs.data]).toEqual(expected);
  });

  it('takes bytes in any array, and refuses pixels that are none', async () => {
    const bytes = [...images.images];
    const expected = (await imageDataset(images).batch(Int32Array.of(0, 1))).inputs.data;
    for (const array of [bytes, Float64Array.from(bytes), runInNewContext(`Uint8Array.of(${bytes})`)]) {
      const dataset = imageDataset({ ...images, images: array as never });
      expect((await dataset.batch(Int32Array.of(0, 1))).inputs.data).toEqual(expected);
    }
    const fractions = Float32Array.from(bytes, (byte) => byte / 255);
    for (const [array, message] of [
      [fractions, /images\[1\] is 0\.07/],
      [bytes.map((byte) => byte + 100), /images\[8\] is 260/],
      [undefined, /images is missing/],
    ] as const) {
      expect(() => imageDataset({ ...images, images: array as never })).toThrow(message);
    }
    expect(() => imageDataset({ ...images, labels: undefined as never })).toThrow(/labels is missing/);
  });

  it('names the example and the label that is out of range', () => {
    const error = thrown(() => imageDataset({ ...images, labels: [1, 2] }));
    expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
    expect(String(error)).toMatch(/example 1 is 2.*from 0 to 1/);
  });

  it('refuses what does not fit, and unknown options', () => {
    expect(
      isLmdError(
        thrown(() => imageDataset({ ...images, labels: [1] })),
        'SHAPE_MISMATCH',
      ),
    ).toBe(true);
    expect(
      isLmdError(
        thrown(() => imageDataset({ ...images, mean: [1, 2] })),
        'INVALID_ARGUMENT',
      ),
    ).toBe(true);
    expect(
      isLmdError(
        thrown(() => imageDataset({ ...images, standardDeviation: 0 })),
        'INVALID_ARGUMENT',
      ),
    ).toBe(true);
    const misspelt = { ...images, standardDeviations: 1 };
    expect(String(thrown(() => imageDataset(misspelt)))).toMatch(/no option "standardDeviations"/);
  });
});

const letters = arrayDataset({
  name: 'letters',
  inputs: Float32Array.from({ length: 40 }, (_, index) => index),
  inputShape: [2],
  labels: Array.from({ length: 20 }, (_, index) => index % 4),
  classes: 4,
});

describe('arrayDataset', () => {
  it('gives rows in the order asked for', async () => {
    const { inputs, labels } = await letters.batch(Int32Array.of(3, 0, 3));
    expect(inputs).toEqual({ data: Float32Array.of(6, 7, 0, 1, 6, 7), shape: [3, 2], dtype: 'f32' });
    expect(labels).toEqual({ data: Int32Array.of(3, 0, 3), shape: [3] });
  });

  it('keeps tokens as i32, and refuses a wrong count', async () => {
    const tokens = { name: 'tokens', inputs: Int32Array.of(8, 9, 7, 6), inputShape: [2], labels: [0, 1], classes: 2 };
    expect((await arrayDataset(tokens).batch(Int32Array.of(1))).inputs).toEqual({
      data: Int32Array.of(7, 6),
      shape: [1, 2],
      dtype: 'i32',
    });
    expect(
      isLmdError(
        thrown(() => arrayDataset({ ...tokens, labels: [0] })),
        'SHAPE_MISMATCH',
      ),
    ).toBe(true);
  });
});

describe('subset and split', () => {
  it('takes the examples at the indices', async () => {
    const part = subset(letters, [7, 2]);
    expect(part.size).toBe(2);
    expect([...(await part.batch(Int32Array.of(1))).inputs.data]).toEqual([4, 5]);
    expect(() => subset(letters, [20])).toThrow(/indices\[0\] is 20/);
  });

  it('splits without overlap or loss, the same every time', async () => {
    const parts = split(letters, { validation: 0.25, seed: 1 });
    expect([parts.train.size, parts.validation.size]).toEqual([15, 5]);
    const firsts = async (part: typeof parts.train) => {
      const batch = await part.batch(Int32Array.from({ length: part.size }, (_, index) => index));
      return [...batch.inputs.data].filter((_, index) => index % 2 === 0);
    };
    const all = [...(await firsts(parts.train)), ...(await firsts(parts.validation))].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 20 }, (_, index) => 2 * index));
    expect(await firsts(split(letters, { validation: 5, seed: 1 }).validation)).toEqual(await firsts(parts.validation));
    expect(await firsts(split(letters, { validation: 5, seed: 2 }).validation)).not.toEqual(
      await firsts(parts.validation),
    );
  });

  it('refuses an empty part', () => {
    for (const validation of [0, 20, 0.001, 1.5]) {
      expect(() => split(letters, { validation, seed: 0 })).toThrow(/split: validation is/);
    }
  });
});
