import { describe, expect, it } from 'vitest';
import { summarizeValues } from './tensor-summary.js';

describe('summarizeValues', () => {
  it('keeps what float64 holds and float32 does not', () => {
    const { notFinite, zeros, minimum, maximum, mean, standardDeviation, logMagnitude } = summarizeValues(
      Float64Array.of(1e300, -1e300, 1e-60, 2.5),
    );
    expect([notFinite, zeros, minimum, maximum]).toEqual([0, 0, -1e300, 1e300]);
    // The sum is (1e300 − 1e300 + 2.5) / 4 but for rounding in units of 1e300.
    expect(Math.abs(mean!)).toBeLessThan(1e284);
    expect(standardDeviation! / (1e300 / Math.SQRT2)).toBeCloseTo(1, 12);
    expect(logMagnitude!.count).toBe(4);
    expect(logMagnitude!.histogram.minimum).toBeCloseTo(-60 * Math.LN10, 9);
  });

  it.each([1e-320, 1e-60, 1, 1e30, 1.7e308])('gives the moments of values about %d', (unit) => {
    const { mean, standardDeviation, excessKurtosis } = summarizeValues(Float64Array.of(unit, -unit, unit, 0));
    expect(mean! / unit).toBeCloseTo(0.25, 6);
    expect(standardDeviation! / unit).toBeCloseTo(Math.sqrt(11) / 4, 3);
    // The fourth central moment over the squared variance, 11/16.
    const fourth = (2 * 0.75 ** 4 + 1.25 ** 4 + 0.25 ** 4) / 4;
    expect(excessKurtosis).toBeCloseTo(fourth / (11 / 16) ** 2 - 3, 2);
  });

  it('has no moments where no value is finite', () => {
    expect(summarizeValues(new Float32Array(0))).toEqual({ zeros: 0, notFinite: 0 });
    expect(summarizeValues(Float32Array.of(Number.NaN, Infinity))).toEqual({ zeros: 0, notFinite: 2 });
    expect(summarizeValues(Float32Array.of(0, -0))).toEqual({
      mean: 0,
      standardDeviation: 0,
      minimum: -0,
      maximum: 0,
      excessKurtosis: 0,
      zeros: 2,
      notFinite: 0,
    });
  });
});
