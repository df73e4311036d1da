import type { EagerOperations } from '../operations.js';
import type { AdamwTensors, AdamwUpdateOptions } from '../optimizer-kernels.js';
import type { Tensor } from '../tensor.js';

/**
 * AdamW: Loshchilov & Hutter, arXiv:1711.05101, algorithm 2, with the weight decay scaled by the learning rate as
 * PyTorch has it: w ← w·(1 − a·λ) − a·m̂ / (√v̂ + ε).
 */
export function adamwUpdate(
  ops: EagerOperations,
  state: AdamwTensors,
  gradient: Tensor,
  options: AdamwUpdateOptions,
): AdamwTensors {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = options;
  return ops.scope(() => {
    const firstMoment = ops.add(ops.multiply(state.firstMoment, beta1), ops.multiply(gradient, 1 - beta1));
    const squared = ops.multiply(gradient, gradient);
    const secondMoment = ops.add(ops.multiply(state.secondMoment, beta2), ops.multiply(squared, 1 - beta2));
    // The corrections 1 − β^t go into two numbers, so that no corrected moment is made.
    const deviation = ops.divide(ops.sqrt(secondMoment), Math.sqrt(1 - beta2 ** step));
    const move = ops.divide(firstMoment, ops.add(deviation, epsilon));
    const decayed = weightDecay === 0 ? state.weights : ops.multiply(state.weights, 1 - learningRate * weightDecay);
    const weights = ops.subtract(decayed, ops.multiply(move, learningRate / (1 - beta1 ** step)));
    return { weights, firstMoment, secondMoment };
  });
}
