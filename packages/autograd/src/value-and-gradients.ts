import type { EagerOperations, NamedTensors, Operations, Tensor } from '@lmd/core';
import { createTape } from './tape.js';

export interface ValueAndGradients {
  /** The scalar that `f` gave. */
  readonly value: Tensor;
  /** d value / d weight by name, of the weight's shape; zeros where the value does not depend on it. */
  readonly gradients: NamedTensors;
}

/**
 * Runs `f` at `weights`, and differentiates the scalar that it gives. All that `f` makes is freed, also when it throws;
 * the value and the gradients are the caller's, made in the current scope. `f` must compute with the operations that it
 * is given: what it does with others is a constant to the tape.
 */
export function valueAndGradients(
  ops: EagerOperations,
  weights: NamedTensors,
  f: (ops: Operations, weights: NamedTensors) => Tensor,
): ValueAndGradients {
  const tape = createTape(ops);
  return ops.scope(() => {
    try {
      for (const weight of Object.values(weights)) tape.watch(weight);
      const value = tape.ops.scope(() => {
        const result = f(tape.ops, weights);
        // A weight itself is a legal loss, but not ours to hand out.
        return Object.values(weights).includes(result) ? tape.ops.reshape(result, result.shape) : result;
      });
      return { value, gradients: tape.gradients(value, weights) };
    } finally {
      tape.dispose();
    }
  });
}
