import { normalQuantile } from './normal-quantile.js';

/** How close numbers, such as log m, are to a normal distribution. */
export type LogNormality = {
  readonly count: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** 0 for a normal distribution. */
  readonly skewness: number;
  /** 0 for a normal distribution. */
  readonly excessKurtosis: number;
  /**
   * Correlation of the sorted numbers with normal quantiles, the straightness of the Q-Q plot (Filliben 1975; positions
   * of Blom). 1 for a normal distribution; 0 if all numbers are equal. Uses at most 65,536 evenly spaced numbers.
   */
  readonly quantileCorrelation: number;
  /** `counts[i]` numbers are in [minimum + i·width, minimum + (i + 1)·width); the last bin includes its end. */
  readonly histogram: { readonly minimum: number; readonly width: number; readonly counts: readonly number[] };
};

/** Numbers of the Q-Q plot: enough for four digits of the correlation, few enough to sort at every evaluation. */
const mostQuantiles = 65_536;

/**
 * Moments and histogram of all values of all `parts`, in float64: a pass over the weights of a model as they lie in
 * memory, for which a statistics library would want one array of numbers. For log m, `mean` and `standardDeviation` are
 * the fitted parameters of a log-normal distribution.
 */
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
  // If all values are equal, the bins still have a positive width.
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
    quantileCorrelation: quantileCorrelation(sampleOf(parts, count)),
    histogram: { minimum, width, counts },
  };
}

/** Every k-th value over all parts. */
function sampleOf(parts: readonly ArrayLike<number>[], count: number): Float64Array {
  const stride = Math.ceil(count / mostQuantiles);
  const sample = new Float64Array(Math.ceil(count / stride));
  let position = 0;
  each(parts, (value) => {
    if (position % stride === 0) sample[position / stride] = value;
    position++;
  });
  return sample;
}

function quantileCorrelation(sample: Float64Array): number {
  const sorted = sample.sort();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  let product = 0;
  let squares = 0;
  let quantileSquares = 0;
  for (const [index, value] of sorted.entries()) {
    const quantile = normalQuantile((index + 0.625) / (sorted.length + 0.25));
    product += (value - mean) * quantile;
    squares += (value - mean) ** 2;
    quantileSquares += quantile * quantile;
  }
  // Quantiles are symmetric, so their mean is 0.
  return squares > 0 ? product / Math.sqrt(squares * quantileSquares) : 0;
}

function each(parts: readonly ArrayLike<number>[], body: (value: number) => void): void {
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) body(part[index]!);
  }
}
