import erf from '@stdlib/math-base-special-erf';
import { describe, expect, it } from 'vitest';
import { randomFloats, ulpDistance } from '../../test/random-values.js';
import { errorFunction, scaledComplement } from './error-function.js';
import { exponential, hyperbolicTangent, logistic } from './exponential.js';
import { timesDistribution, timesDistributionDerivative } from './normal-distribution.js';

/** Random magnitudes from the whole float32 range below `largest`, both signs, and their neighbours of note. */
function arguments_(largest: number, seed: number): Float32Array {
  const spread = randomFloats(20_000, seed, 1).map((x) => Math.sign(x) * largest * 2 ** (-40 * Math.abs(x)));
  return Float32Array.of(0, -0, Infinity, -Infinity, Number.NaN, ...spread, ...randomFloats(20_000, seed + 1, largest));
}

/** The largest float32 distance from `exact`, both rounded once. */
function worst(values: Float32Array, approximate: (x: number) => number, exact: (x: number) => number): number {
  let distance = 0;
  for (const x of values) distance = Math.max(distance, ulpDistance(approximate(x), exact(x)));
  return distance;
}

/** Φ(x) with relative precision in both tails: erfc by erf near 0, by its continued fraction far out. */
function distribution(x: number): number {
  const z = Math.abs(x) * Math.SQRT1_2;
  let complement = 1 - erf(z);
  if (z > 2) {
    let tail = 0;
    for (let n = 200; n >= 1; n--) tail = n / 2 / (z + tail);
    complement = Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + tail);
  }
  return x > 0 ? 1 - complement / 2 : complement / 2;
}

describe('scalar functions, rounded to float32', () => {
  it('x·Φ(x) and its derivative are within two steps, out to where float32 ends', () => {
    const values = [...randomFloats(20_000, 9, 12), 13, -13, 1e20, -1e20, Infinity, Number.NaN, 0, -0];
    const near = Float32Array.from(values);
    expect(worst(near, timesDistribution, (x) => x * distribution(x))).toBeLessThanOrEqual(2);
    const derivative = (x: number) => distribution(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
    // Around its zero near −0.75 only the absolute error is small.
    const far = near.filter((x) => Number.isFinite(x) && Math.abs(x + 0.75) > 0.1);
    expect(worst(far, timesDistributionDerivative, derivative)).toBeLessThanOrEqual(2);
    expect([Infinity, -Infinity, Number.NaN].map(timesDistributionDerivative)).toEqual([1, 0, Number.NaN]);
  });

  it('exponential is within one step of Math.exp, subnormal results and overflow included', () => {
    expect(worst(arguments_(110, 1), exponential, Math.exp)).toBeLessThanOrEqual(1);
    expect([exponential(-1e9), exponential(1e9), exponential(0)].map(Math.fround)).toEqual([0, Infinity, 1]);
  });
  it('hyperbolicTangent is within one step of Math.tanh', () => {
    expect(worst(arguments_(12, 3), hyperbolicTangent, Math.tanh)).toBeLessThanOrEqual(1);
    expect(Object.is(hyperbolicTangent(-0), -0)).toBe(true);
  });
  it('logistic is within one step', () => {
    expect(worst(arguments_(80, 5), logistic, (x) => 1 / (1 + Math.exp(-x)))).toBeLessThanOrEqual(1);
  });
  it('errorFunction is within one step of the error function', () => {
    expect(worst(arguments_(7, 7), errorFunction, erf)).toBeLessThanOrEqual(1);
    expect(Object.is(errorFunction(-0), -0)).toBe(true);
  });
  it('scaledComplement keeps relative precision far out', () => {
    // erfcx(z) by its continued fraction, which converges for z ≥ 2.
    for (let z = 2; z < 40; z += 0.37) {
      let tail = 0;
      for (let n = 200; n >= 1; n--) tail = n / 2 / (z + tail);
      const exact = 1 / Math.sqrt(Math.PI) / (z + tail);
      expect(Math.abs(scaledComplement(z) / exact - 1)).toBeLessThan(1e-8);
    }
    for (let z = 0; z < 2; z += 0.01) {
      const exact = Math.exp(z * z) * (1 - erf(z));
      expect(Math.abs(scaledComplement(z) / exact - 1)).toBeLessThan(1.1e-8);
    }
  });
});
