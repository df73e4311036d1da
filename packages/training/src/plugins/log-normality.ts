/** How near to a normal law numbers are, log m for one. */
export type LogNormality = {
  readonly count: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** 0 for a normal law. */
  readonly skewness: number;
  /** 0 for a normal law. */
  readonly excessKurtosis: number;
  /** `counts[i]` numbers lie in [minimum + i·width, minimum + (i + 1)·width), the last bin's end included. */
  readonly histogram: { readonly minimum: number; readonly width: number; readonly counts: readonly number[] };
};

/** Moments and histogram of all values of all `parts`, in float64. */
export function logNormality(parts: readonly ArrayLike<number>[], bins: number): LogNormality {
  let count = 0;
  let sum = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  each(parts, (value) => {
    count++;
    sum += value;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  });
  const mean = sum / count;
  // A point mass still gets one bin of some width.
  const width = maximum > minimum ? (maximum - minimum) / bins : 1;
  const counts = new Array<number>(bins).fill(0);
  let second = 0;
  let third = 0;
  let fourth = 0;
  each(parts, (value) => {
    const deviation = value - mean;
    const square = deviation * deviation;
    second += square;
    third += square * deviation;
    fourth += square * square;
    const bin = Math.min(bins - 1, Math.floor((value - minimum) / width));
    counts[bin] = counts[bin]! + 1;
  });
  const variance = second / count;
  return {
    count,
    mean,
    standardDeviation: Math.sqrt(variance),
    skewness: variance > 0 ? third / count / variance ** 1.5 : 0,
    excessKurtosis: variance > 0 ? fourth / count / variance ** 2 - 3 : 0,
    histogram: { minimum, width, counts },
  };
}

function each(parts: readonly ArrayLike<number>[], body: (value: number) => void): void {
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) body(part[index]!);
  }
}
