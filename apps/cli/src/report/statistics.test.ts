import { describe, expect, it } from 'vitest';
import { extent, histogramOf, momentsOf, normalDensity, smooth, thin } from './statistics.js';

const ramp = Array.from({ length: 100 }, (_, index) => ({ x: index, y: 2 * index }));

describe('smooth', () => {
  it('keeps a straight line, and so does not lag', () => {
    smooth(ramp, 9).forEach(({ x, y }, index) => {
      expect(x).toBe(index);
      if (index >= 4 && index < 96) expect(y).toBeCloseTo(2 * index, 9);
    });
  });

  it('averages what there is at the ends', () => {
    const smoothed = smooth(ramp, 5);
    expect([smoothed[0]!.y, smoothed[99]!.y]).toEqual([2, 196]);
  });

  it('averages what alternates', () => {
    const noisy = ramp.map(({ x }) => ({ x, y: x % 2 }));
    expect(Math.abs(smooth(noisy, 21)[50]!.y - 0.5)).toBeLessThan(0.03);
  });
});

describe('thin', () => {
  it('keeps few points and their mean', () => {
    const few = thin(ramp, 10);
    expect(few).toHaveLength(10);
    expect(few[0]).toEqual({ x: 4.5, y: 9 });
    expect(thin(ramp, 100)).toEqual(ramp);
  });
});

describe('momentsOf', () => {
  it('fits the normal over all parts', () => {
    const moments = momentsOf([Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]);
    expect(moments).toMatchObject({ count: 6, mean: 3.5 });
    expect(moments.standardDeviation).toBeCloseTo(Math.sqrt(35 / 12), 12);
  });
});

describe('histogramOf', () => {
  it('counts each value once, the last one in the last bin', () => {
    expect(histogramOf([Float32Array.of(0, 0.4, 1), Float32Array.of(2)], [0, 2], 2)).toEqual({
      from: 0,
      width: 1,
      counts: [2, 2],
    });
  });
});

describe('normalDensity', () => {
  it('integrates to 1', () => {
    let sum = 0;
    for (let x = -10; x < 10; x += 0.01) sum += 0.01 * normalDensity(x, 0.5, 1.5);
    expect(sum).toBeCloseTo(1, 6);
  });
});

describe('extent', () => {
  it('spans the finite values, never nothing', () => {
    expect(extent([[3, Number.NaN, 1], [2]])).toEqual([1, 3]);
    expect(extent([[2, 2]])).toEqual([1.5, 2.5]);
    expect(extent([[]])).toEqual([0, 1]);
  });
});
