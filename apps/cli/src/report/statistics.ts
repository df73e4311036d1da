import type { Histogram, Point } from '@lmd/report';

/** Centred moving average over `span` points; near the ends over the points available. */
export function smooth(points: readonly Point[], span: number): Point[] {
  const half = Math.floor(span / 2);
  const sums = [0];
  for (const { y } of points) sums.push(sums.at(-1)! + y);
  return points.map(({ x }, index) => {
    const from = Math.max(0, index - half);
    const to = Math.min(points.length, index + half + 1);
    return { x, y: (sums[to]! - sums[from]!) / (to - from) };
  });
}

/** At most `limit` points: means of consecutive groups of equal size. */
export function thin(points: readonly Point[], limit: number): Point[] {
  const group = Math.ceil(points.length / limit);
  if (group <= 1) return [...points];
  const thinned: Point[] = [];
  for (let from = 0; from < points.length; from += group) {
    const part = points.slice(from, from + group);
    thinned.push({
      x: part.reduce((sum, { x }) => sum + x, 0) / part.length,
      y: part.reduce((sum, { y }) => sum + y, 0) / part.length,
    });
  }
  return thinned;
}

/** Mean and standard deviation of the maximum-likelihood normal (of logarithms: log-normal) distribution. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly standardDeviation: number;
}

/** Over all parts as they are; d3-array's `deviation` takes one list, and divides by one less than the count. */
export function momentsOf(parts: readonly Float32Array[]): Moments {
  let count = 0;
  let sum = 0;
  for (const part of parts) {
    count += part.length;
    for (const value of part) sum += value;
  }
  const mean = sum / count;
  let squares = 0;
  for (const part of parts) for (const value of part) squares += (value - mean) ** 2;
  return { count, mean, standardDeviation: Math.sqrt(squares / count) };
}

/**
 * `bins` equal bins between the ends of `range`; values outside are not counted. d3-array's `bin` keeps the values of
 * each bin, which for the weights of a model is a second copy of them.
 */
export function histogramOf(parts: readonly Float32Array[], range: readonly [number, number], bins: number): Histogram {
  const [from, to] = range;
  const width = (to - from) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const part of parts) {
    for (const value of part) {
      const bin = value === to ? bins - 1 : Math.floor((value - from) / width);
      if (bin >= 0 && bin < bins) counts[bin]!++;
    }
  }
  return { from, width, counts };
}

/** Density of the normal distribution. */
export function normalDensity(x: number, mean: number, standardDeviation: number): number {
  const z = (x - mean) / standardDeviation;
  return Math.exp(-0.5 * z * z) / (standardDeviation * Math.sqrt(2 * Math.PI));
}

/**
 * The smallest and largest of all finite values, widened if they are equal. d3-array's `extent` takes infinities too.
 */
export function extent(parts: readonly Iterable<number>[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const part of parts) {
    for (const value of part) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
