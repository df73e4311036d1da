import { LmdError } from '@lmd/core';

/**
 * Area under the receiver operating characteristic: the probability that the score of a random positive is above that
 * of a random negative, where equal scores count half (Mann and Whitney 1947). 0.5 is chance. NaN if a score is NaN.
 *
 * @throws LmdError `INVALID_ARGUMENT` if one of them is empty.
 */
export function areaUnderRoc(negatives: ArrayLike<number>, positives: ArrayLike<number>): number {
  for (const [name, scores] of Object.entries({ negatives, positives })) {
    if (scores.length > 0) continue;
    throw new LmdError('INVALID_ARGUMENT', `areaUnderRoc: there are no ${name}.`, {
      subject: name,
      value: 0,
      remedy: 'Use at least one score of each kind.',
    });
  }
  const [low, high] = [Float64Array.from(negatives), Float64Array.from(positives)];
  if (low.some(Number.isNaN) || high.some(Number.isNaN)) return Number.NaN;
  low.sort();
  high.sort();
  // Both are sorted: of each positive, `below` and `upTo` count the negatives below it, and those not above it.
  let [below, upTo, sum] = [0, 0, 0];
  for (const score of high) {
    while (below < low.length && low[below]! < score) below += 1;
    while (upTo < low.length && low[upTo]! <= score) upTo += 1;
    sum += (below + upTo) / 2;
  }
  return sum / (low.length * high.length);
}
