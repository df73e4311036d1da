import { exponential } from './exponential.js';

/**
 * Softmax of scale·scores along the keys, for scores [matrices, queries, keys]; with `causal`, keys after the query's
 * position have probability 0. Scaling, masking and normalising are one pass over memory.
 */
export function maskedSoftmax(
  scores: Float32Array,
  queries: number,
  keys: number,
  scale: number,
  causal: boolean,
  out: Float32Array,
): void {
  for (let start = 0, row = 0; start < scores.length; start += keys, row++) {
    const visible = causal ? Math.min(keys, (row % queries) + 1) : keys;
    let largest = -Infinity;
    // Math.max keeps NaN, and then the whole row is NaN.
    for (let i = start; i < start + visible; i++) largest = Math.max(largest, scores[i]! * scale);
    let sum = 0;
    for (let i = start; i < start + visible; i++) {
      const value = exponential(scores[i]! * scale - largest);
      out[i] = value;
      sum += value;
    }
    const share = 1 / sum;
    for (let i = start; i < start + visible; i++) out[i] = out[i]! * share;
    out.fill(0, start + visible, start + keys);
  }
}
