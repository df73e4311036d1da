import { smooth } from '../report/statistics.js';

export interface RatePoint {
  readonly rate: number;
  /** Loss of the batch before the update, in nats. */
  readonly loss: number;
}

export interface RateTestResult {
  /** With the moving average of the loss. */
  readonly points: readonly (RatePoint & { readonly smoothed: number })[];
  /** Where the smoothed loss falls fastest; undefined if it never falls. */
  readonly suggested: number | undefined;
  /** The lowest smoothed loss. */
  readonly lowest: { readonly rate: number; readonly loss: number };
  /** The last rate, if the loss diverged there. */
  readonly divergedAt: number | undefined;
}

/** Part of the points over which the loss is averaged, and its slope is measured. */
const part = 20;

/**
 * The fall is looked for from this part of the rate of the lowest loss on. At much lower rates the optimizer hardly
 * moves the weights, and the loss falls because of the parameters of `rest`, which have a constant rate.
 */
const belowLowest = 1e-2;

/**
 * Smooths the loss over a twentieth of the steps, and finds the rate at which it falls fastest per factor of the rate,
 * in the two decades below the rate of the lowest loss.
 *
 * @param points at rates of a geometric sequence; at least one, and finite.
 */
export function analyzeRates(points: readonly RatePoint[], hasDiverged: boolean): RateTestResult {
  const half = Math.max(1, Math.round(points.length / (2 * part)));
  const averaged = smooth(
    points.map(({ rate, loss }) => ({ x: rate, y: loss })),
    2 * half + 1,
  );
  const smoothed = points.map((point, index) => ({ ...point, smoothed: averaged[index]!.y }));
  const lowest = smoothed.reduce((best, next) => (next.smoothed < best.smoothed ? next : best), smoothed[0]!);
  let suggested: number | undefined;
  let steepest = 0;
  for (let at = half; at + half < smoothed.length; at++) {
    if (smoothed[at - half]!.rate < belowLowest * lowest.rate) continue;
    const change = smoothed[at + half]!.smoothed - smoothed[at - half]!.smoothed;
    if (change >= steepest) continue;
    steepest = change;
    // More than three digits are not significant.
    suggested = Number(smoothed[at]!.rate.toPrecision(3));
  }
  return {
    points: smoothed,
    suggested,
    lowest: { rate: lowest.rate, loss: lowest.smoothed },
    divergedAt: hasDiverged ? points.at(-1)!.rate : undefined,
  };
}
