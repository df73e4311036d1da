import { result, type Values } from '../values.js';
import { softmaxRow } from './softmax.js';

/** −log softmax at the label; NaN for a label out of range. */
export function crossEntropy(logits: Values, labels: Values): Values {
  const [rows, classes] = logits.shape as [number, number];
  const data = new Float64Array(rows);
  const magnitudes = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const x = logits.data.slice(row * classes, (row + 1) * classes);
    const { distances, spread, logarithmOfSum } = softmaxRow(x);
    const label = labels.data[row]!;
    const known = label >= 0 && label < classes;
    data[row] = known ? logarithmOfSum - distances[label]! : Number.NaN;
    // Implementations may subtract the label's logit from max + log Σ instead, so both logits count.
    const largest = x.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    magnitudes[row] = known ? 1 + spread + Math.abs(logarithmOfSum) + Math.abs(distances[label]!) + largest : 0;
  }
  return result([rows], data, magnitudes, classes);
}

/** dy·(softmax − one at the label). A row whose label is out of range is NaN, as its loss is. */
export function crossEntropyGradient(logits: Values, labels: Values, dy: Values): Values {
  const [rows, classes] = logits.shape as [number, number];
  const data = new Float64Array(rows * classes);
  const magnitudes = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    const { probabilities, magnitudes: own } = softmaxRow(logits.data.slice(row * classes, (row + 1) * classes));
    const label = labels.data[row]!;
    for (let i = 0; i < classes; i++) {
      const hit = i === label ? 1 : 0;
      data[row * classes + i] = label >= 0 && label < classes ? dy.data[row]! * (probabilities[i]! - hit) : Number.NaN;
      magnitudes[row * classes + i] = Math.abs(dy.data[row]!) * (own[i]! + hit);
    }
  }
  return result(logits.shape, data, magnitudes, classes);
}
