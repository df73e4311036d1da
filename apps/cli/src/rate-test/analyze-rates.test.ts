import { describe, expect, it } from 'vitest';
import { analyzeRates } from './analyze-rates.js';
import { rateAt } from './rate-test.js';

const range = { from: 1e-5, to: 10, steps: 121 };

/** Falls around `fall` and rises beyond `rise`, over half a decade each. */
function lossAt(rate: number, fall: number, rise: number): number {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return 2.3 - 2 * sigmoid(4 * Math.log10(rate / fall)) + 3 * sigmoid(4 * Math.log10(rate / rise));
}

describe('analyzeRates', () => {
  const points = (noise: number) =>
    Array.from({ length: range.steps }, (_, step) => {
      const rate = rateAt(range, step);
      return { rate, loss: lossAt(rate, 1e-3, 1) + noise * Math.sin(12.9898 * (step + 1) * step) };
    });

  it.each([0, 0.05])('finds the rate of the steepest fall, with noise %d', (noise) => {
    const { suggested, lowest, divergedAt } = analyzeRates(points(noise), false);
    expect(Math.abs(Math.log10(suggested! / 1e-3))).toBeLessThan(0.3);
    expect(lowest.rate).toBeGreaterThan(5e-3);
    expect(lowest.rate).toBeLessThan(0.2);
    expect(divergedAt).toBeUndefined();
  });

  it('passes over a steeper fall at rates at which only the other parameters learn', () => {
    const early = points(0).map(({ rate, loss }, step) => ({ rate, loss: loss + 3 * 0.6 ** step }));
    expect(Math.abs(Math.log10(analyzeRates(early, false).suggested! / 1e-3))).toBeLessThan(0.3);
  });

  it('suggests nothing where the loss never falls, and says where it diverged', () => {
    const rising = points(0).map(({ rate }, step) => ({ rate, loss: 1 + step / 100 }));
    expect(analyzeRates(rising, true)).toMatchObject({ suggested: undefined, divergedAt: rising.at(-1)!.rate });
  });

  it.each([1, 2, 3])('takes %d points', (count) => {
    const { points: smoothed, lowest } = analyzeRates(points(0).slice(0, count), true);
    expect(smoothed).toHaveLength(count);
    expect(Number.isFinite(lowest.loss)).toBe(true);
  });
});

it('raises the rate in equal factors from the first to the last', () => {
  const rates = Array.from({ length: range.steps }, (_, step) => rateAt(range, step));
  expect(rates[0]).toBe(1e-5);
  expect(rates.at(-1)).toBeCloseTo(10, 10);
  for (let step = 1; step < rates.length; step++) expect(rates[step]! / rates[step - 1]!).toBeCloseTo(10 ** 0.05, 10);
});
