import type { EagerOperations, Tensor } from '@lmd/core';

/** Rows whose confidence is in [from, to); the last bin includes its end. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean of the largest probability of a row; 0 in an empty bin. */
  readonly confidence: number;
  /** Fraction of the rows whose most probable class is the label; 0 in an empty bin. */
  readonly accuracy: number;
}

/** The calibration error over rows (for a language model, tokens). */
export interface Calibration {
  /**
   * Expected calibration error: Σ over bins of count/rows·|accuracy − confidence|, with bins of equal width over [0, 1]
   * (Guo et al., arXiv:1706.04599, section 2).
   */
  readonly error: number;
  /** Maximum calibration error: the largest |accuracy − confidence| over the bins that are not empty. */
  readonly largestError: number;
  readonly bins: readonly CalibrationBin[];
}

/** Count, sum of confidences and number of correct predictions of a bin. */
export const binColumns = 3;

/**
 * Sums over the rows of a batch by the bin of their confidence, on the device: [bins, 3]. `right` is 1 for a correct
 * prediction, [...rows]. Rows with a NaN confidence and ignored rows are in no bin.
 *
 * @param counts i32 [rows], 1 for a row that is included. Default: all rows.
 */
export function calibrationSums(
  ops: EagerOperations,
  logits: Tensor,
  right: Tensor,
  bins: number,
  counts?: Tensor,
): Tensor {
  return ops.scope(() => {
    const confidence = ops.max(ops.softmax(ops.reshape(logits, [-1, logits.shape.at(-1)!])), { axes: 1 });
    const rows = confidence.shape[0]!;
    // A cast truncates; a confidence of 1 belongs to the last bin.
    const bin = ops.cast(ops.minimum(ops.multiply(confidence, bins), bins - 1), 'i32');
    const isNumber = ops.equal(confidence, confidence);
    const isCounted = counts === undefined ? isNumber : ops.where(counts, isNumber, 0);
    const binOfCounted = ops.where(isCounted, bin, ops.full([], -1, 'i32'));
    const columns = [ops.full([rows], 1), confidence, ops.reshape(right, [rows])];
    const updates = ops.concatenate(
      columns.map((column) => ops.reshape(ops.where(isCounted, column, 0), [rows, 1])),
      1,
    );
    return ops.scatterAdd(binOfCounted, updates, bins);
  });
}

/** Computes the calibration from the sums of all batches. */
export function calibrationFrom(sums: ArrayLike<number>, bins: number): Calibration {
  const parts = Array.from({ length: bins }, (_, bin): CalibrationBin => {
    const [count, confidence, right] = [0, 1, 2].map((column) => sums[bin * binColumns + column]!) as [
      number,
      number,
      number,
    ];
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      count,
      confidence: count > 0 ? confidence / count : 0,
      accuracy: count > 0 ? right / count : 0,
    };
  });
  const rows = parts.reduce((sum, { count }) => sum + count, 0);
  const gaps = parts.map(({ accuracy, confidence }) => Math.abs(accuracy - confidence));
  return {
    error: rows > 0 ? parts.reduce((sum, { count }, bin) => sum + (count / rows) * gaps[bin]!, 0) : Number.NaN,
    largestError: gaps.reduce((a, b) => Math.max(a, b), 0),
    bins: parts,
  };
}
