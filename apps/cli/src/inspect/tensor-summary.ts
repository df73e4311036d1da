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

export interface ValueSummary {
  readonly mean: number;
  readonly standardDeviation: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly excessKurtosis: number;
  readonly zeros: number;
  readonly notFinite: number;
  /** The normal law fitted to log |w| of the finite weights that are not zero; absent where there are none. */
  readonly logMagnitude?: LogNormality;
}

/** Sums up finite values; the others are counted. */
export function summarizeValues(values: Float32Array): ValueSummary {
  const finite = values.filter(Number.isFinite);
  const logarithms = Float64Array.from(
    finite.filter((value) => value !== 0),
    (value) => Math.log(Math.abs(value)),
  );
  const { mean, standardDeviation, excessKurtosis } = logNormality([finite], 1);
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of finite) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return {
    mean,
    standardDeviation,
    minimum,
    maximum,
    excessKurtosis,
    zeros: finite.length - logarithms.length,
    notFinite: values.length - finite.length,
    ...(logarithms.length > 0 ? { logMagnitude: logNormality([logarithms], bins) } : {}),
  };
}
