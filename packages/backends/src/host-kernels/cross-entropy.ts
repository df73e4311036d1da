import { exponential } from './exponential.js';

/** −log softmax of each row at its label; NaN for a label out of range. */
export function crossEntropy(logits: Float32Array, labels: Int32Array, classes: number, out: Float32Array): void {
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    const start = row * classes;
    if (label < 0 || label >= classes) {
      out[row] = Number.NaN;
      continue;
    }
    const largest = rowMaximum(logits, start, classes);
    let sum = 0;
    for (let j = 0; j < classes; j++) sum += exponential(logits[start + j]! - largest);
    out[row] = Math.log(sum) + (largest - logits[start + label]!);
  }
}

/** `out` = dy·(softmax − one-hot label), row by row; NaN rows for labels out of range. */
export function crossEntropyGradient(
  logits: Float32Array,
  labels: Int32Array,
  dy: Float32Array,
  classes: number,
  out: Float32Array,
): void {
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    const start = row * classes;
    if (label < 0 || label >= classes) {
      out.fill(Number.NaN, start, start + classes);
      continue;
    }
    const largest = rowMaximum(logits, start, classes);
    let others = 0;
    for (let j = 0; j < classes; j++) {
      const value = exponential(logits[start + j]! - largest);
      out[start + j] = value;
      if (j !== label) others += value;
    }
    const own = exponential(logits[start + label]! - largest);
    const scale = dy[row]! / (others + own);
    for (let j = 0; j < classes; j++) out[start + j] = out[start + j]! * scale;
    // softmax − 1 at the label, as minus the sum of the others: no cancellation when the label is nearly certain.
    out[start + label] = -others * scale;
  }
}

function rowMaximum(x: Float32Array, start: number, width: number): number {
  let largest = -Infinity;
  for (let j = 0; j < width; j++) {
    const value = x[start + j]!;
    if (value > largest) largest = value;
  }
  return largest;
}
