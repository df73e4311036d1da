import type { Tensor, TensorLike } from '@lmd/core';

/** The gradient of one input as a function of dy, and the tensors that it needs. */
export interface InputRule {
  /**
   * Inputs and outputs that `gradient` reads. They are kept until it has run. Numbers are skipped.
   */
  readonly saves?: readonly TensorLike[];
  readonly gradient: (dy: Tensor) => Tensor;
}

/** A rule whose gradients are computed by one kernel. */
export interface JointRule {
  readonly saves: readonly Tensor[];
  /** Tensors created only for `gradients`, which are freed after it, or immediately if nothing is recorded. */
  readonly owns?: readonly Tensor[];
  /** `needsGradient[i]` is whether the gradient of input i is needed; the others may be null. */
  readonly gradients: (dy: Tensor, needsGradient: readonly boolean[]) => readonly (Tensor | null)[];
}

/** The rule of a slice of the only input: its gradient is dy at `sliceAt`, padded with zeros. */
export interface SliceRule {
  readonly sliceAt: readonly number[];
}

/** One rule per input, null if it has no gradient (indices, labels, conditions); or one joint rule. */
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
  /** Number of live nodes that use the output of this node. */
  consumers: number;
  /** False once the user can no longer reach the output. Without consumers as well, the node is dead. */
  reachable: boolean;
  /** True once its saved tensors are released. */
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

/** The joint form of a rule and its saved tensors, without those that only untracked inputs need. */
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
    gradients: (dy, needsGradient) =>
      rule.map((input, index) => (needsGradient[index] && input ? input.gradient(dy) : null)),
  };
}
