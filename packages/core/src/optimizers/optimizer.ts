import type { EagerOperations } from '../operations.js';
import type { NamedTensors } from '../tensor.js';

/** Everything an optimizer remembers. Saved whole, it resumes to the same bits. */
export interface OptimizerState {
  /** Number of updates made. */
  readonly step: number;
  /** Named `<weight>/<vector>`, such as `blocks.0.mlp.up.weight/logPlus`. Never by position. */
  readonly tensors: NamedTensors;
}

/** Which draw: the noise is a function of this and the weight's name, so it is recomputed and never stored. */
export interface DrawKey {
  readonly seed: number;
  readonly step: number;
  readonly sample: number;
}

/** One forward and backward pass: the draw it ran at, and the gradients of the loss at the drawn weights. */
export interface Pass {
  readonly key: DrawKey;
  readonly gradients: NamedTensors;
}

/** `mean` and `median` of the posterior, or a `sample` of it. Additive rules have one answer to all three. */
export type WeightsKind = (typeof weightsKinds)[number];
export const weightsKinds = ['mean', 'median', 'sample'] as const;

/**
 * An optimizer owns the weights and is a pure transform: a Bayesian rule runs the forward pass at a sample, not at a stored
 * weight. It holds no tensor and no counter. Tensors that it returns belong to the caller (made in the current scope); those that it is given, stay
 * the caller's.
 *
 * A step: `samples` times draw → forward → backward, then one `update` with all passes.
 */
export interface Optimizer {
  readonly name: string;
  /** Passes a step that `update` expects. 1 for every rule that does not average over draws. */
  readonly samples: number;
  /** The state before the first step. Refuses weights that the rule cannot start from (`INVALID_ARGUMENT`, naming the weight). */
  init(ops: EagerOperations, weights: NamedTensors): Promise<OptimizerState>;
  /**
   * `init` for a caller that knows the root mean square of each weight, by its name, and cannot wait: it reads nothing back. A rule
   * that does not start from a scale looks at none. The rules for single weights have it (`lmd`, `adamw`, …).
   */
  initFromScales?(ops: EagerOperations, weights: NamedTensors, scales: ReadonlyMap<string, number>): OptimizerState;
  /** Weights for one forward pass: new handles also where nothing is drawn. */
  draw(ops: EagerOperations, state: OptimizerState, key: DrawKey): NamedTensors;
  /**
   * The state after one step; `state` is unchanged and still the caller's to free.
   *
   * @param done called with each weight as soon as its tensors of `state` and its gradients have been used: a caller short of
   * memory may free them there, so that old and new are alive together of one weight alone. The results are the same. A rule may
   * leave out calls; it makes none before all its arguments have been checked.
   */
  update(
    ops: EagerOperations,
    state: OptimizerState,
    passes: readonly Pass[],
    done?: (weight: string) => void,
  ): OptimizerState;
  /** Weights to evaluate or export. `key` is needed for `sample`. */
  weights(ops: EagerOperations, state: OptimizerState, kind?: WeightsKind, key?: DrawKey): NamedTensors;
}
