import { type EagerOperations, LmdError, type NamedTensors, type Operations, type Tensor } from '@lmd/core';
import { createTape } from './tape.js';

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
  return ops.customGradient(tensors, {
    forward: (plain) => f(plain, inputs),
    backward(plain, dy, _inputs, _output, needsGradient) {
      checkEager(plain);
      const tape = createTape(plain);
      try {
        const of = Object.fromEntries(tensors.map((x, i) => [`${i}`, x]).filter((_, i) => needsGradient[i]));
        for (const x of Object.values<Tensor>(of)) tape.watch(x);
        const output = tape.ops.scope(() => f(tape.ops, inputs));
        const gradients = tape.gradients(output, of, dy);
        return tensors.map((_, i) => gradients[`${i}`] ?? null);
      } finally {
        tape.dispose();
      }
    },
    saves: { output: false },
  });
}

/** A tape passes its operations to its backward passes. */
function checkEager(ops: Operations): asserts ops is EagerOperations {
  if ('attentionGradient' in ops) return;
  throw new LmdError('UNSUPPORTED', 'recompute: the operations of this backward pass have no gradient kernels.', {
    subject: 'ops',
    remedy: 'Use createTape or valueAndGradients with operations from createOperations.',
  });
}
