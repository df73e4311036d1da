import type { GeluApproximation } from '@lmd/core';
import { result, type Values } from '../values.js';
import { errorFunction } from './elementwise.js';

const tanhFactor = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** x·Φ(x), or its tanh form (Hendrycks and Gimpel, arXiv:1606.08415). */
export function gelu(x: Values, approximation: GeluApproximation): Values {
  const data = x.data.map((v) =>
    approximation === 'none'
      ? (v / 2) * (1 + errorFunction(v / Math.SQRT2))
      : (v / 2) * (1 + Math.tanh(tanhFactor * (v + cubic * v ** 3))),
  );
  return result(x.shape, data, x.data.map(Math.abs));
}

export function geluGradient(x: Values, dy: Values, approximation: GeluApproximation): Values {
  const data = new Float64Array(x.data.length);
  const magnitudes = new Float64Array(x.data.length);
  x.data.forEach((v, i) => {
    if (approximation === 'none') {
      const density = Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI);
      data[i] = dy.data[i]! * (0.5 * (1 + errorFunction(v / Math.SQRT2)) + v * density);
      magnitudes[i] = Math.abs(dy.data[i]!) * (1 + Math.abs(v) * (1 + v * v) * density);
    } else {
      const t = Math.tanh(tanhFactor * (v + cubic * v ** 3));
      const slope = tanhFactor * (1 + 3 * cubic * v * v);
      data[i] = dy.data[i]! * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * slope);
      // 1 − t² is computed from a t near ±1: its error is absolute, and x·slope multiplies it.
      magnitudes[i] = Math.abs(dy.data[i]!) * (1 + Math.abs(v) * slope);
    }
  });
  return result(x.shape, data, magnitudes);
}
