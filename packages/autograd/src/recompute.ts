import type { CustomGradient, EagerOperations, NamedTensors, Operations, Tensor } from '@lmd/core';

/** The part of a tape that runs a function again. */
interface NewTape {
  readonly ops: Operations;
  watch(x: Tensor): Tensor;
  gradients(output: Tensor, of: NamedTensors, dy: Tensor): NamedTensors;
  dispose(): void;
}

/** The gradients of a custom function whose backward pass is to run it again, on a tape of its own. */
export function recomputedGradients(
  createTape: (ops: EagerOperations) => NewTape,
  ops: EagerOperations,
  gradient: CustomGradient,
  inputs: readonly Tensor[],
  dy: Tensor,
  needsGradient: readonly boolean[],
): readonly (Tensor | null)[] {
  const tape = createTape(ops);
  try {
    const of = Object.fromEntries(inputs.map((x, i) => [`${i}`, x]).filter((_, i) => needsGradient[i]));
    for (const x of Object.values<Tensor>(of)) tape.watch(x);
    const output = tape.ops.scope(() => gradient.forward(tape.ops, inputs, () => {}));
    const gradients = tape.gradients(output, of, dy);
    return inputs.map((_, i) => gradients[`${i}`] ?? null);
  } finally {
    tape.dispose();
  }
}
