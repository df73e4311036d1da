import type { GeluApproximation } from '@lmd/core';
import { scaledComplement } from './error-function.js';
import { exponential, logistic } from './exponential.js';

const rootHalf = Math.SQRT1_2;
const inverseRootTwoPi = 1 / Math.sqrt(2 * Math.PI);
// Of the tanh form: 0.5·x·(1 + tanh u) = x·logistic(2u) with 2u = 2√(2/π)·(x + 0.044715·x³).
const slope = 2 * Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** GELU (Hendrycks & Gimpel, arXiv:1606.08415): x·Φ(x), or its tanh approximation. */
export function gelu(x: Float32Array, approximation: GeluApproximation, out: Float32Array): void {
  if (approximation === 'none') {
    for (let i = 0; i < x.length; i++) out[i] = exactGelu(x[i]!);
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
    for (let i = 0; i < x.length; i++) out[i] = dy[i]! * exactDerivative(x[i]!);
  } else {
    for (let i = 0; i < x.length; i++) out[i] = dy[i]! * tanhDerivative(x[i]!);
  }
}

// Signs of activations are random: a jump on them would cost more than the arithmetic, so there is none.

/** Φ(−|x|), with relative precision far out. */
function tailAt(size: number, kernel: number): number {
  return 0.5 * kernel * scaledComplement(size * rootHalf);
}

function exactGelu(x: number): number {
  const size = Math.abs(x);
  const tail = tailAt(size, exponential(-0.5 * x * x));
  // x·Φ(x) is max(x, 0) − |x|·Φ(−|x|) for either sign. The tail is 0 long before 1e30, and Infinity · 0 would be NaN.
  return 0.5 * (x + size) - Math.min(size, 1e30) * tail;
}

function exactDerivative(x: number): number {
  const kernel = exponential(-0.5 * x * x);
  const tail = tailAt(Math.abs(x), kernel);
  const positive = Number(x > 0);
  return positive + (1 - 2 * positive) * tail + x * kernel * inverseRootTwoPi;
}

function tanhGelu(x: number): number {
  return x * logistic(slope * x * (1 + cubic * x * x));
}

function tanhDerivative(x: number): number {
  const square = x * x;
  const gate = logistic(slope * x * (1 + cubic * square));
  return gate + x * gate * (1 - gate) * slope * (1 + 3 * cubic * square);
}
