import { largestFloat32 } from '../compositions/float32.js';
import type { EagerOperations } from '../operations.js';
import type { AdamwTensors, AdamwUpdateOptions } from '../optimizer-kernels.js';
import type { Tensor } from '../tensor.js';

/**
 * The first moment of AdamW with the rounding error of the weights in it, e = unrounded − rounded (ECO, Nikdan,
 * Zandieh, Alistarh & Mirrokni, arXiv:2601.22101), so that later steps make up for it:
 *
 *     m ← m + (1 − 1/β₁)·(1 − β₁ᵗ)·(√v̂ + ε)/a·e
 *
 * What is added to m, c, is still β₁ᵏ·c in the k-th step after this one, and moves the weight by −a·β₁ᵏ·c / ((1 −
 * β₁ᵗ)·(√v̂ + ε)). Over all steps these add up to −a·c·β₁/(1 − β₁) / ((1 − β₁ᵗ)·(√v̂ + ε)), which is e for the c above,
 * since −(1 − β₁)/β₁ = 1 − 1/β₁. It is exact while a, v̂ and the bias correction stay what they are.
 *
 * `updated` is the state after the update, unrounded; `rounded` has its weights as they are stored. A new handle.
 */
export function momentWithError(
  ops: EagerOperations,
  updated: AdamwTensors,
  rounded: Tensor,
  { learningRate, beta1, beta2, epsilon, step }: AdamwUpdateOptions,
): Tensor {
  const { weights, firstMoment, secondMoment } = updated;
  const factor = ((1 - 1 / beta1) * (1 - beta1 ** step)) / learningRate;
  // Without a learning rate no later step can make up for the error; nor has the weight moved.
  const gain = Math.abs(factor) <= largestFloat32 ? factor : 0;
  return ops.scope(() => {
    const error = ops.subtract(weights, rounded);
    const deviation = ops.divide(ops.sqrt(secondMoment), Math.sqrt(1 - beta2 ** step));
    return ops.add(firstMoment, ops.multiply(ops.multiply(error, ops.add(deviation, epsilon)), gain));
  });
}
