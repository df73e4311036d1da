import { type LogNormality, logNormality } from '@lmd/training';

const bins = 24;

/** What a tensor's values are like. */
export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** In the file. */
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
  /** The normal law fitted to log |w| of the finite weights that are not zero; absent where there are none. */
  readonly logMagnitude?: LogNormality;
}

/** Sums up finite values; the others are counted. */
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
 * Of values of magnitudes up to `largest`, scaled to about 1 by a power of two: the fourth powers of float64 values
 * overflow.
 */
function moments(values: Float64Array, largest: number) {
  // 2^1023 is the largest power of two, and the inverse of half of it is no subnormal.
  const exponent = largest === 0 ? 0 : Math.min(Math.max(Math.floor(Math.log2(largest)), -1022), 1022);
  const { mean, standardDeviation, excessKurtosis } = logNormality([values.map((value) => value * 2 ** -exponent)], 1);
  return { mean: mean * 2 ** exponent, standardDeviation: standardDeviation * 2 ** exponent, excessKurtosis };
}
