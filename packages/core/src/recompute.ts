import type { Operations } from './operations.js';
import type { NamedTensors, Tensor } from './tensor.js';

/**
 * Gradient checkpointing: `f(ops, inputs)`, which stores only `inputs` for the backward pass and recomputes the
 * intermediate tensors there (Chen et al. 2016, arXiv:1604.06174). Around each block of a deep model, it needs about
 * one more forward pass, and memory for the intermediates of one block instead of all.
 *
 * Gradients are bit-identical for tensors that only this call uses, and equal up to the summation order for others. `f`
 * must be a function of `inputs`. Noise from keys (dropout, stochastic rounding) is allowed. A tracked tensor from
 * outside gets no gradient, so pass weights in `inputs`. Without a tape it is `f(ops, inputs)` in a scope.
 */
export function recompute(
  ops: Operations,
  inputs: NamedTensors,
  f: (ops: Operations, inputs: NamedTensors) => Tensor,
): Tensor {
  // A tensor with two names is one input, whose gradient must be counted once.
  const tensors = [...new Set(Object.values(inputs))];
  return ops.customGradient(tensors, { forward: (run) => f(run, inputs), backward: 'recompute' });
}
