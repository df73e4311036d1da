import { binColumns, type Calibration, calibrationFrom } from '../calibration.js';

/** What is known of one row (an example, or a token) from the mean of the probabilities of some samples. */
export interface RowScores {
  /** −log of the mean probability of the label, in nats. */
  readonly loss: number;
  /** Whether the most probable class is the label. */
  readonly isRight: boolean;
  /** The largest mean probability. */
  readonly confidence: number;
  /** Σ of the squares of the mean probabilities. */
  readonly squares: number;
}

/** Scores of predictions over all rows. */
export interface PredictionScores {
  /** Number of posterior samples whose probabilities are averaged. */
  readonly samples: number;
  /** Negative log-likelihood: mean of −log p(label), in nats. */
  readonly loss: number;
  /** Fraction of the rows whose most probable class is the label. */
  readonly accuracy: number;
  /** Brier score: mean of Σ over the classes of (p − 1{label})², from 0 to 2 (Brier 1950). */
  readonly brier: number;
  readonly calibration: Calibration;
}

/** Accumulates the scores of rows in float64, in constant memory. */
export interface RowTotals {
  add(row: RowScores): void;
  scores(): PredictionScores;
}

export function rowTotals(samples: number, bins: number): RowTotals {
  const sums = new Float64Array(bins * binColumns);
  let [rows, loss, right, brier] = [0, 0, 0, 0];
  return {
    add(row) {
      rows += 1;
      loss += row.loss;
      right += row.isRight ? 1 : 0;
      brier += row.squares - 2 * Math.exp(-row.loss) + 1;
      // A confidence of 1 belongs to the last bin; NaN to none.
      const bin = Math.min(bins - 1, Math.floor(row.confidence * bins));
      if (!(bin >= 0)) return;
      sums[bin * binColumns]! += 1;
      sums[bin * binColumns + 1]! += row.confidence;
      sums[bin * binColumns + 2]! += row.isRight ? 1 : 0;
    },
    scores: () => ({
      samples,
      loss: loss / rows,
      accuracy: right / rows,
      brier: brier / rows,
      calibration: calibrationFrom(sums, bins),
    }),
  };
}

/**
 * −log of the mean of exp(−loss) over the samples: the loss of the mean probability, which may be too small for a
 * 32-bit number. Each entry of `losses` has one sample's loss of every row.
 */
export function lossOfMean(losses: readonly ArrayLike<number>[], row: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const sample of losses) {
    if (Number.isNaN(sample[row]!)) return Number.NaN;
    least = Math.min(least, sample[row]!);
  }
  if (least === Number.POSITIVE_INFINITY) return least;
  let sum = 0;
  for (const sample of losses) sum += Math.exp(least - sample[row]!);
  return least - Math.log(sum / losses.length);
}
