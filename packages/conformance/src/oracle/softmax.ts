import { result, type Values } from '../values.js';
import { rowsOf } from './layout.js';

export interface SoftmaxRow {
  readonly probabilities: Float64Array;
  /**
   * What the rounding error of each probability is in proportion to: p·(1 + |d| + Σp|d|), with d the distance to the
   * maximum.
   */
  readonly magnitudes: Float64Array;
  /** Distances x − max x. */
  readonly distances: Float64Array;
  /** Σp|d|: how much the errors of the exponentials weigh in their sum. */
  readonly spread: number;
  readonly logarithmOfSum: number;
}

/**
 * `scoreMagnitudes` are those of the entries themselves where they were computed: their absolute error enters
 * relatively.
 */
export function softmaxRow(x: Float64Array, scoreMagnitudes?: Float64Array): SoftmaxRow {
  const largest = x.reduce((a, b) => Math.max(a, b), -Infinity);
  // A masked entry is −Infinity, and its probability 0.
  const distances = x.map((value) => value - largest);
  const exponentials = distances.map(Math.exp);
  const sum = exponentials.reduce((a, b) => a + b, 0);
  const probabilities = exponentials.map((value) => value / sum);
  const weight = (j: number) => (probabilities[j] === 0 ? 0 : Math.abs(distances[j]!) + (scoreMagnitudes?.[j] ?? 0));
  const spread = probabilities.reduce((total, p, j) => total + p * weight(j), 0);
  const magnitudes = probabilities.map((p, j) => p * (1 + weight(j) + spread));
  return { probabilities, magnitudes, distances, spread, logarithmOfSum: Math.log(sum) };
}

export function softmax(x: Values): Values {
  const { rows, width } = rowsOf(x.shape);
  const data = new Float64Array(x.data.length);
  const magnitudes = new Float64Array(x.data.length);
  for (let row = 0; row < rows; row++) {
    const one = softmaxRow(x.data.slice(row * width, (row + 1) * width));
    data.set(one.probabilities, row * width);
    magnitudes.set(one.magnitudes, row * width);
  }
  return result(x.shape, data, magnitudes, width);
}

/** dx = y·(dy − Σ y·dy). */
export function softmaxGradient(y: Values, dy: Values): Values {
  const { rows, width } = rowsOf(y.shape);
  const data = new Float64Array(y.data.length);
  const magnitudes = new Float64Array(y.data.length);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    let size = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      sum += y.data[i]! * dy.data[i]!;
      size += Math.abs(y.data[i]! * dy.data[i]!);
    }
    for (let i = row * width; i < (row + 1) * width; i++) {
      data[i] = y.data[i]! * (dy.data[i]! - sum);
      magnitudes[i] = Math.abs(y.data[i]!) * (Math.abs(dy.data[i]!) + size);
    }
  }
  return result(y.shape, data, magnitudes, width);
}
