import type { GeluApproximation } from '@lmd/core';
import { logistic } from './exponential.js';
import { timesDistribution, timesDistributionDerivative } from './normal-distribution.js';

// Of the tanh form: 0.5·x·(1 + tanh u) = x·logistic(2u) with 2u = 2√(2/π)·(x + 0.044715·x³).
const slope = 2 * Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** GELU (Hendrycks & Gimpel, arXiv:1606.08415): x·Φ(x), or its tanh approximation. */
export function gelu(x: Float32Array, approximation: GeluApproximation, out: Float32Array): void {
  if (approximation === 'none') {
    for (let i = 0; i < x.length; i++) out[i] = timesDistribution(x[i]!);
  } else {
    for (let i = 0; i < x.length; i++) out[i] = tanhGelu(x[i]!);
  }
}

/** `out` = dy · d gelu(x)/dx. */
export function geluGradient(
  x: Float32Array,
  dy: Float32Array,
  approximation: GeluApproximation,
  out: Float32Array,
): void {
  if (approximation === 'none') {
    for (let i = 0; i < x.length; i++) out[i] = dy[i]! * timesDistributionDerivative(x[i]!);
  } else {
    for (let i = 0; i < x.length; i++) out[i] = dy[i]! * tanhDerivative(x[i]!);
  }
}

function tanhGelu(x: number): number {
  return x * logistic(slope * x * (1 + cubic * x * x));
}

function tanhDerivative(x: number): number {
  const square = x * x;
  const gate = logistic(slope * x * (1 + cubic * square));
  return gate + x * gate * (1 - gate) * slope * (1 + 3 * cubic * square);
}
