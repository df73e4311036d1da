import { type LogNormality, logNormality } from '@lmd/training';

const bins = 24;

/** Statistics of a tensor's values. */
export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Size in the file. */
  readonly bytes: number;
  /** Absent for types without values of their own: codes, scales, integers. */
  readonly values?: ValueSummary;
}

/** The moments and bounds of the finite values; absent where there are none. */
export interface ValueSummary {
  readonly mean?: number;
  readonly standardDeviation?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly excessKurtosis?: number;
  readonly zeros: number;
  readonly notFinite: number;
  /** Normal distribution fitted to log |w| of the finite nonzero weights; absent if there are none. */
  readonly logMagnitude?: LogNormality;
}

/** Summarizes finite values, and counts the others. */
export function summarizeValues(values: Float32Array | Float64Array): ValueSummary {
  const finite = Float64Array.from(values).filter(Number.isFinite);
  const notFinite = values.length - finite.length;
  if (finite.length === 0) return { zeros: 0, notFinite };
  const logarithms = finite.filter((value) => value !== 0).map((value) => Math.log(Math.abs(value)));
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of finite) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return {
    ...moments(finite, Math.max(-minimum, maximum)),
    minimum,
    maximum,
    zeros: finite.length - logarithms.length,
    notFinite,
    ...(logarithms.length > 0 ? { logMagnitude: logNormality([logarithms], bins) } : {}),
  };
}

/**
 * Moments of values with magnitudes up to `largest`. The values are scaled to about 1 by a power of two, since the
 * fourth powers of float64 values can overflow.
 */
function moments(values: Float64Array, largest: number) {
  // 2^1023 is the largest power of two, and the inverse of half of it is no subnormal.
  const exponent = largest === 0 ? 0 : Math.min(Math.max(Math.floor(Math.log2(largest)), -1022), 1022);
  const { mean, standardDeviation, excessKurtosis } = logNormality([values.map((value) => value * 2 ** -exponent)], 1);
  return { mean: mean * 2 ** exponent, standardDeviation: standardDeviation * 2 ** exponent, excessKurtosis };
}
