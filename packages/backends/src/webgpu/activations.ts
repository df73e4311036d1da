import { type FusedKernels, type GeluApproximation, sizeOf, type Tensor } from '@lmd/core';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { mathLibrary, perElement } from './wgsl.js';

type Activations = Pick<FusedKernels, 'gelu' | 'geluGradient' | 'roundToBfloat16'>;

/** Φ(x), with full relative precision in both tails, and φ(x); or what the tanh form has in their places. */
const gates: Record<GeluApproximation, string> = {
  none: `
fn gate(x: f32) -> f32 {
  let z = x * 0.70710678;
  if (abs(z) < 0.5) { return 0.5 + 0.5 * error_function(z); }
  // Beyond, one tail is 0 and the other 1, infinities included.
  let near = clamp(z, -11.0, 11.0);
  let tail = 0.5 * exponential(-near * near) * scaled_complement(abs(near));
  return select(tail, 1.0 - tail, x > 0.0);
}
fn slope(x: f32) -> f32 {
  let near = clamp(x, -15.0, 15.0);
  return gate(x) + near * (0.39894228 * exponential(-0.5 * near * near));
}`,
  tanh: `
fn logistic_argument(x: f32) -> f32 { return 1.59576912 * x * (1.0 + 0.044715 * x * x); }
fn gate(x: f32) -> f32 { return 1.0 / (1.0 + exponential(-logistic_argument(clamp(x, -15.0, 15.0)))); }
fn slope(x: f32) -> f32 {
  let near = clamp(x, -15.0, 15.0);
  let g = gate(near);
  return g + near * g * (1.0 - g) * 1.59576912 * (1.0 + 0.134145 * near * near);
}`,
};

// clamp(NaN) depends on the device, so NaN is tested first; and 0 · gate(−∞) must be 0, not NaN.
const kernelsOf = (approximation: GeluApproximation): { forward: Kernel; gradient: Kernel } => ({
  forward: {
    name: `gelu-${approximation}`,
    inputs: { x: 'f32' },
    outputs: { out: 'f32' },
    parameters: { count: 'u32' },
    code: `${mathLibrary}${gates[approximation]}${perElement(`
  let x = x_at(i);
  if (is_nan(x)) { out_set(i, x); return; }
  out_set(i, x * gate(x));`)}`,
  },
  gradient: {
    name: `geluGradient-${approximation}`,
    inputs: { x: 'f32', dy: 'f32' },
    outputs: { out: 'f32' },
    parameters: { count: 'u32' },
    code: `${mathLibrary}${gates[approximation]}${perElement(`
  let x = x_at(i);
  if (is_nan(x)) { out_set(i, x); return; }
  out_set(i, dy_at(i) * slope(x));`)}`,
  },
});

const kernels = { none: kernelsOf('none'), tanh: kernelsOf('tanh') };

const bfloat16Kernel: Kernel = {
  name: 'roundToBfloat16',
  inputs: { x: 'u32' },
  outputs: { out: 'u32' },
  parameters: { count: 'u32' },
  code: perElement(`
  let x = x_at(i);
  if ((x & 0x7fffffffu) > 0x7f800000u) { out_set(i, 0x7fc00000u); return; }
  out_set(i, (x + 0x7fffu + ((x >> 16u) & 1u)) & 0xffff0000u);`),
};

export function activations({ make, runPages }: Context): Activations {
  const like = (x: Tensor, kernel: Kernel, ...more: Tensor[]) =>
    make(x.shape, 'f32', (out) => {
      if (sizeOf(x.shape) > 0) runPages(kernel, [x, ...more], [out], {});
    });
  return {
    gelu: (x, approximation) => like(x, kernels[approximation].forward),
    geluGradient: (x, dy, approximation) => like(x, kernels[approximation].gradient, dy),
    roundToBfloat16: (x) => like(x, bfloat16Kernel),
  };
}
