import { arrayDataset } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { holdOut } from './held-out.js';

const dataset = (size: number) =>
  arrayDataset({
    name: 'made',
    inputs: new Float32Array(size),
    inputShape: [1],
    labels: new Int32Array(size),
    classes: 2,
  });

describe('holdOut', () => {
  it.each([
    [60_000, undefined, 2000],
    [375, undefined, 37],
    [3, undefined, 1],
    [375, 0.2, 75],
    [375, 100, 100],
  ])('of %i examples with data.validation = %s holds out %i', (size, validation, expected) => {
    const parts = holdOut(dataset(size), validation, 0);
    expect([parts.validation.size, parts.train.size]).toEqual([expected, size - expected]);
  });

  it.each([
    [
      375,
      2000,
      'data.validation is 2000, but there are 375 training examples. Use a number below 375, or a fraction such ' +
        'as 0.2.',
    ],
    [375, 375, 'data.validation is 375, but there are 375'],
    [4, 0.01, 'data.validation is 0.01, which is 0 examples, but there are 4'],
    [1, undefined, 'Training and validation need at least one example each: add examples.'],
  ])('of %i examples refuses data.validation = %s', (size, validation, message) => {
    expect(() => holdOut(dataset(size), validation, 0)).toThrow(message);
  });
});
