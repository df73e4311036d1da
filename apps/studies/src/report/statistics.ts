import jstat from 'jstat';

/** A mean with the half width of its 95 % confidence interval. */
export interface Interval {
  readonly mean: number;
  /** t(0.975, n − 1)·s/√n, by Student's t; undefined for a single value. */
  readonly halfWidth: number | undefined;
  readonly count: number;
}

/** The mean of some values and its 95 % confidence interval, for values that are independent and about normal. */
export function confidenceInterval(values: readonly number[]): Interval | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, halfWidth: undefined, count };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { mean, halfWidth: jstat.studentt.inv(0.975, count - 1) * Math.sqrt(variance / count), count };
}

/** The sign of a difference if its interval excludes 0. */
export function verdict(difference: Interval | undefined): 'higher' | 'lower' | 'not shown' {
  if (difference?.halfWidth === undefined) return 'not shown';
  if (difference.mean - difference.halfWidth > 0) return 'higher';
  if (difference.mean + difference.halfWidth < 0) return 'lower';
  return 'not shown';
}

/**
 * Width in octaves of the learning rates within `tolerance` of the best accuracy: the longest run of neighbouring grid
 * points. Each point counts as wide as the spacing of the grid. Diverged points count as accuracy 0.
 */
export function goodRange(
  points: readonly { readonly factor: number; readonly accuracy: number }[],
  tolerance: number,
  best = Math.max(...points.map(({ accuracy }) => accuracy)),
): { readonly from: number; readonly to: number; readonly octaves: number; readonly open: boolean } | undefined {
  const sorted = [...points].sort((a, b) => a.factor - b.factor);
  let longest: { first: number; last: number } | undefined;
  let first: number | undefined;
  sorted.forEach(({ accuracy }, index) => {
    if (accuracy < best - tolerance) {
      first = undefined;
      return;
    }
    first ??= index;
    if (longest === undefined || index - first > longest.last - longest.first) longest = { first, last: index };
  });
  if (longest === undefined) return undefined;
  const from = sorted[longest.first]!.factor;
  const to = sorted[longest.last]!.factor;
  const spacing = sorted.length < 2 ? 0 : Math.log2(sorted.at(-1)!.factor / sorted[0]!.factor) / (sorted.length - 1);
  return {
    from,
    to,
    octaves: Math.log2(to / from) + spacing,
    open: longest.first === 0 || longest.last === sorted.length - 1,
  };
}
