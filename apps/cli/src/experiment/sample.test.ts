import { describe, expect, it } from 'vitest';
import { samplePoints, spreadPoints } from './sample.js';

describe('spreadPoints', () => {
  it('has one point in each of as many equal intervals as there are points, in every dimension', () => {
    for (const dimensions of [1, 2, 3, 4]) {
      const points = spreadPoints(10, dimensions, 3, 'a rule');
      for (let dimension = 0; dimension < dimensions; dimension++) {
        const intervals = points.map((point) => Math.floor(point[dimension]! * 10));
        expect(intervals.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      }
    }
  });

  it('keeps points apart: no two of 10 in the square are closer than a tenth', () => {
    for (const seed of [0, 1, 2]) {
      const points = spreadPoints(10, 2, seed, 'a rule');
      for (const [index, [x, y]] of points.entries()) {
        for (const [u, v] of points.slice(0, index)) expect(Math.hypot(x! - u!, y! - v!)).toBeGreaterThan(0.1);
      }
    }
  });

  it('is a function of seed and name', () => {
    expect(spreadPoints(3, 2, 1, 'a')).toEqual(spreadPoints(3, 2, 1, 'a'));
    expect(spreadPoints(3, 2, 1, 'a')).not.toEqual(spreadPoints(3, 2, 1, 'b'));
    expect(spreadPoints(3, 2, 1, 'a')).not.toEqual(spreadPoints(3, 2, 2, 'a'));
  });
});

it('samplePoints stays in the space, whatever the order of its keys', () => {
  const search = {
    learningRate: { minimum: 0.001, maximum: 0.1, scale: 'log' },
    beta1: { minimum: 0, maximum: 0.9, scale: 'linear' },
    regularizer: { choices: ['a', 'b'], scale: 'log' },
  } as const;
  const points = samplePoints(search as never, 40, 5, 'x');
  for (const { learningRate, beta1, regularizer } of points) {
    expect(learningRate).toBeGreaterThanOrEqual(0.001);
    expect(learningRate).toBeLessThanOrEqual(0.1);
    expect(beta1).toBeLessThanOrEqual(0.9);
    expect(['a', 'b']).toContain(regularizer);
  }
  // Half of a log scale lies below its geometric mean.
  const low = points.filter(({ learningRate }) => Number(learningRate) < 0.01).length;
  expect(low).toBeGreaterThan(16);
  expect(low).toBeLessThan(24);
  const reversed = Object.fromEntries(Object.entries(search).reverse());
  expect(samplePoints(reversed as never, 40, 5, 'x')).toEqual(points);
});
