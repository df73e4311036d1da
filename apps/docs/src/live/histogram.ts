/** Magnitudes on a logarithmic axis. */
export interface LogHistogram {
  /** Share of the values in each of `bins` equal intervals of log₁₀ from `lowest` to `highest`. */
  readonly shares: readonly number[];
  /** Mean and standard deviation of log₁₀: the log-normal law that fits. */
  readonly mean: number;
  readonly deviation: number;
}

export const lowest = -5;
export const highest = 1;
export const bins = 60;
export const binWidth = (highest - lowest) / bins;

/**
 * Values beyond the axis count in its first or last bin.
 *
 * @param parts natural logarithms; −∞, that of zero, is left out
 */
export function histogramOf(parts: readonly Float32Array[]): LogHistogram {
  const counts = new Array<number>(bins).fill(0);
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (const part of parts) {
    for (const value of part) {
      if (value === Number.NEGATIVE_INFINITY) continue;
      const log = value / Math.LN10;
      count += 1;
      sum += log;
      squares += log * log;
      counts[Math.min(bins - 1, Math.max(0, Math.floor((log - lowest) / binWidth)))]! += 1;
    }
  }
  const mean = sum / count;
  return {
    shares: counts.map((one) => one / count),
    mean,
    deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)),
  };
}

/** The share of a log-normal law in each bin, by its density at the middle. */
export function lawOf({ mean, deviation }: LogHistogram): readonly number[] {
  return Array.from({ length: bins }, (_, bin) => {
    const z = (lowest + (bin + 0.5) * binWidth - mean) / deviation;
    return (binWidth / (deviation * Math.sqrt(2 * Math.PI))) * Math.exp(-0.5 * z * z);
  });
}
