import type { AdamwUpdateOptions } from '@lmd/core';

export interface AdamwArrays {
  readonly weights: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

/**
 * One AdamW step (Loshchilov & Hutter, arXiv:1711.05101, in PyTorch's form: decay scaled by the learning rate, ε
 * outside the root).
 */
export function adamwUpdate(
  state: AdamwArrays,
  gradient: Float32Array,
  options: AdamwUpdateOptions,
  out: AdamwArrays,
): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = options;
  const rate = learningRate / (1 - beta1 ** step);
  const secondScale = 1 / (1 - beta2 ** step);
  const kept = 1 - learningRate * weightDecay;
  for (let i = 0; i < gradient.length; i++) {
    const g = gradient[i]!;
    const first = beta1 * state.firstMoment[i]! + (1 - beta1) * g;
    const second = beta2 * state.secondMoment[i]! + (1 - beta2) * g * g;
    out.firstMoment[i] = first;
    out.secondMoment[i] = second;
    out.weights[i] = kept * state.weights[i]! - (rate * first) / (Math.sqrt(second * secondScale) + epsilon);
  }
}
