import { describe, expect, it } from 'vitest';
import { confidenceInterval, goodRange, verdict } from './statistics.js';

describe('confidenceInterval', () => {
  it("takes Student's t, whose published 97.5 % points are 12.706, 4.303, 2.776 and 2.262", () => {
    // Of n values with mean 0 and variance 1 the half width is t/√n.
    for (const [count, t] of [
      [2, 12.7062],
      [3, 4.30265],
      [5, 2.77645],
      [10, 2.26216],
    ] as const) {
      const raw = Array.from({ length: count }, (_, index) => index - (count - 1) / 2);
      const deviation = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0) / (count - 1));
      const { mean, halfWidth } = confidenceInterval(raw.map((value) => value / deviation))!;
      expect(mean).toBeCloseTo(0, 12);
      expect(halfWidth).toBeCloseTo(t / Math.sqrt(count), 4);
    }
  });

  it('knows no width of one value, and nothing of none', () => {
    expect(confidenceInterval([0.5])).toEqual({ mean: 0.5, halfWidth: undefined, count: 1 });
    expect(confidenceInterval([])).toBeUndefined();
  });
});

describe('verdict', () => {
  it('needs an interval that excludes 0', () => {
    expect(verdict({ mean: 1, halfWidth: 0.9, count: 3 })).toBe('higher');
    expect(verdict({ mean: -1, halfWidth: 0.9, count: 3 })).toBe('lower');
    expect(verdict({ mean: 1, halfWidth: 1.1, count: 3 })).toBe('not shown');
    expect(verdict({ mean: 1, halfWidth: undefined, count: 1 })).toBe('not shown');
    expect(verdict(undefined)).toBe('not shown');
  });
});

describe('goodRange', () => {
  const points = (...accuracies: number[]) => accuracies.map((accuracy, index) => ({ factor: 2 ** index, accuracy }));

  it('is the longest run of neighbours near the best, each standing for one octave', () => {
    expect(goodRange(points(0.5, 0.8, 0.795, 0.792, 0.4, 0.8), 0.01)).toEqual({
      from: 2,
      to: 8,
      octaves: 3,
      open: false,
    });
  });

  it('says where it reaches the end of the grid', () => {
    expect(goodRange(points(0.8, 0.795, 0.1), 0.01)).toMatchObject({ from: 1, to: 2, octaves: 2, open: true });
  });

  it('orders the factors itself', () => {
    expect(goodRange(points(0.1, 0.8, 0.8, 0).reverse(), 0.01)).toMatchObject({ from: 2, to: 4 });
  });

  it('is nothing where no point reaches a best from elsewhere', () => {
    expect(goodRange(points(0.1, 0.2), 0.01, 0.9)).toBeUndefined();
  });
});
