import type { Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { deviation, difference } from './compare.js';
import { errorBins } from './histogram.js';
import { result } from './values.js';

const handle = (shape: readonly number[], dtype: Tensor['dtype'] = 'f32'): Tensor => ({ shape, dtype });

function differ(got: number[], want: number[], bound: Parameters<typeof difference>[3]['bound'], subnormals = true) {
  const shape = [got.length];
  return difference(handle(shape), Float32Array.from(got), result(shape, Float64Array.from(want)), {
    bound,
    subnormals,
  });
}

describe('difference', () => {
  it('lets a NaN agree with a NaN and nothing else', () => {
    for (const bound of ['copy', 'arithmetic', 'gradient'] as const) {
      expect(differ([NaN], [NaN], bound)).toBeUndefined();
      expect(differ([NaN], [1], bound)).toMatch(/got NaN, expected 1/);
      expect(differ([1], [NaN], bound)).toMatch(/got 1, expected NaN/);
      expect(differ([Infinity], [NaN], bound)).toBeDefined();
    }
  });

  it('wants infinities exactly', () => {
    expect(differ([Infinity], [Infinity], 'gradient')).toBeUndefined();
    expect(differ([Infinity], [1e39], 'gradient')).toBeUndefined();
    expect(differ([3.4e38], [Infinity], 'gradient')).toBeDefined();
    expect(differ([-Infinity], [Infinity], 'gradient')).toBeDefined();
    expect(differ([Infinity], [1], 'gradient')).toBeDefined();
  });

  it('tells −0 from 0 where values only move', () => {
    expect(differ([-0], [0], 'copy')).toMatch(/got -0, expected 0/);
    expect(differ([0], [-0], 'copy')).toMatch(/got 0, expected -0/);
    expect(differ([-0], [0], 'arithmetic')).toBeUndefined();
  });

  it('forgives a flushed subnormal only where the backend says that it has none', () => {
    expect(differ([0], [2 ** -149], 'copy')).toBeDefined();
    expect(differ([0], [2 ** -149], 'copy', false)).toBeUndefined();
    expect(differ([0], [2 ** -125], 'copy', false)).toBeDefined();
    expect(differ([0], [2 ** -149], 'arithmetic', false)).toBeUndefined();
  });

  it('measures errors in units of the magnitude, and names the worst', () => {
    const want = result([3], Float64Array.of(0, 0, 0), Float64Array.of(1, 1, 1), 4);
    const at = (...errors: number[]) =>
      difference(handle([3]), Float32Array.from(errors), want, { bound: 'sum', subnormals: true });
    expect(at(4 * 2 ** -24, 0, 0)).toBeUndefined();
    expect(at(0, 5 * 2 ** -24, 6 * 2 ** -24)).toMatch(/2 of 3 .* Worst at \[2\]/);
  });

  it('wants shape, dtype and kind of array', () => {
    const want = result([2], Float64Array.of(1, 2));
    const options = { bound: 'copy', subnormals: true } as const;
    expect(difference(handle([1, 2]), Float32Array.of(1, 2), want, options)).toMatch(/\[1, 2\] f32, expected \[2\]/);
    expect(difference(handle([2], 'i32'), Int32Array.of(1, 2), want, options)).toMatch(/\[2\] i32, expected \[2\] f32/);
    expect(difference(handle([2]), Float32Array.of(1), want, options)).toMatch(/1 values/);
    expect(difference(handle([2]), Uint8Array.of(1, 2), want, options)).toMatch(/Uint8Array/);
  });
});

describe('deviation', () => {
  it('is the largest error, in units of the magnitude and as a part of the bound', () => {
    const want = result([4], Float64Array.of(0, 1, 1e39, 2 ** -140), Float64Array.of(1, 1, 1e39, 2 ** -140), 4);
    const got = Float32Array.of(3 * 2 ** -24, 1, Infinity, 0);
    const { units, share, histogram } = deviation(got, want, { bound: 'sum', subnormals: false });
    expect(units).toBe(3);
    expect(share).toBeCloseTo(0.75, 10);
    // 3 units are 1.5 ulp; an infinity and a flushed subnormal number have no error in ulp.
    const counted = errorBins.flatMap((end, bin) => (histogram[bin] === 0 ? [] : [[end, histogram[bin]]]));
    expect(counted).toEqual([
      [0, 1],
      [2, 1],
    ]);
  });

  it('is 0 for what agrees, a NaN with a NaN included', () => {
    const want = result([2], Float64Array.of(Number.NaN, 2));
    expect(deviation(Float32Array.of(Number.NaN, 2), want, { bound: 'exp', subnormals: true })).toEqual({
      units: 0,
      share: 0,
      histogram: [1, ...new Array(errorBins.length - 1).fill(0)],
    });
  });
});
