import { exponential } from './exponential.js';

/** Softmax of each row of `width` values, sums in float64. */
export function softmax(x: Float32Array, width: number, out: Float32Array): void {
  for (let start = 0; start < x.length; start += width) {
    const end = start + width;
    let largest = -Infinity;
    for (let i = start; i < end; i++) {
      const value = x[i]!;
      if (value > largest) largest = value;
    }
    let sum = 0;
    for (let i = start; i < end; i++) {
      const value = exponential(x[i]! - largest);
      out[i] = value;
      sum += value;
    }
    const scale = 1 / sum;
    for (let i = start; i < end; i++) out[i] = out[i]! * scale;
  }
}

/** `out` = y·(dy − Σ y·dy) along each row: the gradient of softmax at its result y. */
export function softmaxGradient(y: Float32Array, dy: Float32Array, width: number, out: Float32Array): void {
  for (let start = 0; start < y.length; start += width) {
    const end = start + width;
    let inner = 0;
    for (let i = start; i < end; i++) inner += y[i]! * dy[i]!;
    for (let i = start; i < end; i++) out[i] = y[i]! * (dy[i]! - inner);
  }
}
