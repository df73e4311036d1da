import type { Tensor, TensorLike } from '@lmd/core';

/** How the gradient of one input follows from dy, and what it needs for that besides shapes. */
export interface InputRule {
  /** Tensors among the inputs and the output that `gradient` reads. They stay alive until it has run. Numbers are skipped. */
  readonly saves?: readonly TensorLike[];
  readonly gradient: (dy: Tensor) => Tensor;
}

/** A rule whose gradients come out of one kernel. */
export interface JointRule {
  readonly saves: readonly Tensor[];
  /** `wanted[i]` tells whether anybody needs the gradient of input i; the others may be null. */
  readonly gradients: (dy: Tensor, wanted: readonly boolean[]) => readonly (Tensor | null)[];
}

/** One rule an input, null where no gradient passes (indices, labels, conditions), or one rule for all. */
export type Rule = JointRule | readonly (InputRule | null)[];

/** One recorded operation. */
export interface Node {
  readonly operation: string;
  /** The inputs that gradients flow to; null for numbers, untracked tensors and integer tensors. */
  readonly inputs: readonly (Tensor | null)[];
  readonly output: Tensor;
  readonly saved: readonly Tensor[];
  readonly gradients: JointRule['gradients'];
  /** Live nodes that this node's output flows into. */
  consumers: number;
  /** False once the user can no longer reach the output. Without consumers as well, the node is dead. */
  reachable: boolean;
}

export function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as Partial<Tensor>).shape) &&
    typeof (value as Partial<Tensor>).dtype === 'string'
  );
}

/** The saved tensors and the joint form of a rule, with what only untracked inputs would need left out. */
export function resolveRule(
  rule: Rule,
  tracked: readonly boolean[],
): { saved: readonly Tensor[]; gradients: JointRule['gradients'] } {
  if ('gradients' in rule) return { saved: [...new Set(rule.saves)], gradients: rule.gradients };
  const saved = new Set<Tensor>();
  rule.forEach((input, index) => {
    if (tracked[index]) for (const tensor of input?.saves ?? []) if (isTensor(tensor)) saved.add(tensor);
  });
  return {
    saved: [...saved],
    gradients: (dy, wanted) => rule.map((input, index) => (wanted[index] && input ? input.gradient(dy) : null)),
  };
}
