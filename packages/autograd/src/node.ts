import type { Tensor, TensorLike } from '@lmd/core';

/** How the gradient of one input follows from dy, and what it needs for that besides shapes. */
export interface InputRule {
  /**
   * Tensors among the inputs and the output that `gradient` reads. They stay alive until it has run. Numbers are
   * skipped.
   */
  readonly saves?: readonly TensorLike[];
  readonly gradient: (dy: Tensor) => Tensor;
}

/** A rule whose gradients come out of one kernel. */
export interface JointRule {
  readonly saves: readonly Tensor[];
  /** Tensors that were made for `gradients` alone, and are freed after it, or at once where nothing is recorded. */
  readonly owns?: readonly Tensor[];
  /** `wanted[i]` tells whether anybody needs the gradient of input i; the others may be null. */
  readonly gradients: (dy: Tensor, wanted: readonly boolean[]) => readonly (Tensor | null)[];
}

/** The rule of a slice of the only input: dy belongs at `sliceAt`, among zeros. */
export interface SliceRule {
  readonly sliceAt: readonly number[];
}

/** One rule an input, null where no gradient passes (indices, labels, conditions); or one rule for all. */
export type Rule = JointRule | SliceRule | readonly (InputRule | null)[];

/** One recorded operation. */
export interface Node {
  readonly operation: string;
  /** The inputs that gradients flow to; null for numbers, untracked tensors and integer tensors. */
  readonly inputs: readonly (Tensor | null)[];
  readonly output: Tensor;
  readonly saved: readonly Tensor[];
  readonly gradients: JointRule['gradients'];
  readonly sliceAt?: readonly number[];
  /** Live nodes that this node's output flows into. */
  consumers: number;
  /** False once the user can no longer reach the output. Without consumers as well, the node is dead. */
  reachable: boolean;
  /** True once what it saved is no longer held. */
  released: boolean;
}

export function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as Partial<Tensor>).shape) &&
    typeof (value as Partial<Tensor>).dtype === 'string'
  );
}

/** The joint form of a rule and what it saves, with what only untracked inputs would need left out. */
export function resolveRule(rule: Rule, tracked: readonly boolean[]): Pick<Node, 'saved' | 'gradients' | 'sliceAt'> {
  if ('gradients' in rule) {
    return { saved: [...new Set([...rule.saves, ...(rule.owns ?? [])])], gradients: rule.gradients };
  }
  if ('sliceAt' in rule) return { saved: [], gradients: (dy) => [dy], sliceAt: rule.sliceAt };
  const saved = new Set<Tensor>();
  rule.forEach((input, index) => {
    if (tracked[index]) for (const tensor of input?.saves ?? []) if (isTensor(tensor)) saved.add(tensor);
  });
  return {
    saved: [...saved],
    gradients: (dy, wanted) => rule.map((input, index) => (wanted[index] && input ? input.gradient(dy) : null)),
  };
}
