import { type EagerOperations, LmdError, type NamedTensors, type Operations, type Tensor } from '@lmd/core';
import { createTape } from './tape.js';

/**
 * `f(ops, inputs)`, of which nothing but `inputs` is kept for the backward pass: that runs `f` again to have its
 * intermediates (Chen et al. 2016, arXiv:1604.06174). Put around each block of a deep model, it trades about one more
 * forward pass for memory that holds one block's intermediates instead of all.
 *
 * The gradients are those without it: to the bit for a tensor that this call alone uses, to the rounding of a sum's
 * order for one that others use as well. `f` must be a function of `inputs`. Noise from keys (dropout, stochastic
 * rounding) is; a tracked tensor that `f` takes from outside is not, and gets no gradient, so pass weights in `inputs`
 * too. Without a tape it is `f(ops, inputs)` in a scope.
 */
export function recompute(
  ops: Operations,
  inputs: NamedTensors,
  f: (ops: Operations, inputs: NamedTensors) => Tensor,
): Tensor {
  // A tensor under two names is one input, whose gradient must arrive once.
  const tensors = [...new Set(Object.values(inputs))];
  return ops.customGradient(tensors, {
    forward: (plain) => f(plain, inputs),
    backward(plain, dy, _inputs, _output, wanted) {
      checkEager(plain);
      const tape = createTape(plain);
      try {
        const of = Object.fromEntries(tensors.map((x, i) => [`${i}`, x]).filter((_, i) => wanted[i]));
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

/** A tape passes its backward passes the operations that it was created over. */
function checkEager(ops: Operations): asserts ops is EagerOperations {
  if ('attentionGradient' in ops) return;
  throw new LmdError('UNSUPPORTED', 'recompute: the operations of this backward pass have no gradient kernels.', {
    subject: 'ops',
    remedy: 'Differentiate with createTape or valueAndGradients over what createOperations gives.',
  });
}
