import type { LayerNormGradients } from '../fused-kernels.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';

const lastAxis = { axes: -1, keepDims: true } as const;

/**
 * Layer normalisation over the last axis (Ba, Kiros & Hinton, arXiv:1607.06450). The variance is the biased one, and is
 * the mean of the squared deviations: a difference of moments would cancel.
 */
export function layerNorm(ops: EagerOperations, x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor {
  return ops.scope(() => {
    const { normalized } = normalize(ops, x, epsilon);
    return ops.add(ops.multiply(normalized, gain), bias);
  });
}

/** With g = dy · gain and n the normalised input: dx = (g − mean g − n · mean (g · n)) / √(variance + ε). */
export function layerNormGradient(
  ops: EagerOperations,
  x: Tensor,
  gain: Tensor,
  dy: Tensor,
  epsilon: number,
): LayerNormGradients {
  return ops.scope(() => {
    const { normalized, deviation } = normalize(ops, x, epsilon);
    const rows = { axes: Array.from({ length: x.shape.length - 1 }, (_, axis) => axis) };
    const inner = ops.multiply(dy, gain);
    const centered = ops.subtract(inner, ops.mean(inner, lastAxis));
    const along = ops.multiply(normalized, ops.mean(ops.multiply(inner, normalized), lastAxis));
    return {
      x: ops.divide(ops.subtract(centered, along), deviation),
      gain: ops.sum(ops.multiply(dy, normalized), rows),
      bias: ops.sum(dy, rows),
    };
  });
}

function normalize(ops: EagerOperations, x: Tensor, epsilon: number): { normalized: Tensor; deviation: Tensor } {
  return ops.scope(() => {
    const centered = ops.subtract(x, ops.mean(x, lastAxis));
    const variance = ops.mean(ops.multiply(centered, centered), lastAxis);
    const deviation = ops.sqrt(ops.add(variance, epsilon));
    return { normalized: ops.divide(centered, deviation), deviation };
  });
}
