import type { EagerOperations, NamedTensors, Operations, Tensor } from '@lmd/core';
import type { OnGradient } from './backward-pass.js';
import { createTape } from './tape.js';

export interface ValueAndGradients {
  /** The scalar returned by `f`. */
  readonly value: Tensor;
  /** d value / d weight by name, with the weight's shape; zeros if the value does not depend on it. */
  readonly gradients: NamedTensors;
}

export interface ValueAndGradientsOptions {
  /** Called with each gradient as soon as it is complete, as by `Tape.gradients`. */
  readonly onGradient?: OnGradient | undefined;
}

/**
 * Evaluates `f` at `weights` and differentiates the scalar that it returns. All tensors created by `f` are freed, even
 * if it throws; the caller owns the value and the gradients, which belong to the current scope. `f` must use the
 * operations passed to it: results of other operations are constants.
 */
export function valueAndGradients(
  ops: EagerOperations,
  weights: NamedTensors,
  f: (ops: Operations, weights: NamedTensors) => Tensor,
  { onGradient }: ValueAndGradientsOptions = {},
): ValueAndGradients {
  const tape = createTape(ops);
  return ops.scope(() => {
    try {
      for (const weight of Object.values(weights)) tape.watch(weight);
      const value = tape.ops.scope(() => {
        const result = f(tape.ops, weights);
        // The loss may be a weight, which the caller already owns.
        return Object.values(weights).includes(result) ? tape.ops.reshape(result, result.shape) : result;
      });
      return { value, gradients: tape.gradients(value, weights, undefined, onGradient) };
    } finally {
      tape.dispose();
    }
  });
}
