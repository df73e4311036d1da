import type { ContractMarker } from '../contract-version.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors } from '../tensor.js';

/** The complete state of an optimizer. Training from a saved and restored state continues bit-identically. */
export interface OptimizerState {
  /** Number of updates made. */
  readonly step: number;
  /** Tensors by `<weight>/<vector>`, such as `blocks.0.mlp.up.weight/logPlus`. */
  readonly tensors: NamedTensors;
}

/**
 * Key of a posterior sample. The noise is a function of this key and the name of the weight, so that it is generated
 * again instead of stored.
 */
export interface DrawKey {
  readonly seed: number;
  readonly step: number;
  readonly sample: number;
}

/** One forward and backward pass: the key of its sample, and the gradients of the loss at the sampled weights. */
export interface Pass {
  readonly key: DrawKey;
  readonly gradients: NamedTensors;
}

/**
 * `mean` or `median` of the posterior, or a `sample` of it. Optimizers without a posterior return the same weights for
 * all three.
 */
export type WeightsKind = (typeof weightsKinds)[number];
export const weightsKinds = ['mean', 'median', 'sample'] as const;

/** Version of this contract. It changes only if a correct optimizer would become incorrect. */
export const optimizerSpecVersion = 'lmd-optimizer-v1';

/**
 * An optimizer owns the weights and is a pure transformation of its state: a Bayesian optimizer runs the forward pass
 * at a sample of the posterior, not at stored weights. It holds no tensors and no counters. The caller owns the
 * returned tensors, which belong to the current scope, and keeps ownership of those it passes.
 *
 * One step: `samples` times draw → forward → backward, then one `update` with all passes.
 */
export interface Optimizer extends ContractMarker<typeof optimizerSpecVersion> {
  readonly name: string;
  /** Number of passes per step that `update` expects; 1 for optimizers that do not average over samples. */
  readonly samples: number;
  /**
   * The initial state. Throws `INVALID_ARGUMENT`, naming the weight, for weights that the optimizer cannot start from.
   */
  init(ops: EagerOperations, weights: NamedTensors): Promise<OptimizerState>;
  /**
   * Like `init`, for a caller that already has the root mean square of each weight by name: synchronous and without a
   * readback. Optimizers that do not depend on the scale ignore it. Optimizers of single weights have it (`lmd`,
   * `adamw`, …).
   */
  initFromScales?(ops: EagerOperations, weights: NamedTensors, scales: ReadonlyMap<string, number>): OptimizerState;
  /** Samples the weights of one forward pass. The handles are new, even if nothing is sampled. */
  draw(ops: EagerOperations, state: OptimizerState, key: DrawKey): NamedTensors;
  /**
   * The state after one step; `state` is unchanged, and the caller still has to free it.
   *
   * @param done called with each weight as soon as its tensors in `state` and its gradients are no longer needed. A
   *   caller with little memory may free them there, so that old and new tensors coexist for one weight only. The
   *   results are the same. An optimizer may leave out calls; it makes none before all arguments have been checked.
   */
  update(
    ops: EagerOperations,
    state: OptimizerState,
    passes: readonly Pass[],
    done?: (weight: string) => void,
  ): OptimizerState;
  /** Weights to evaluate or export. `sample` requires `key`. */
  weights(ops: EagerOperations, state: OptimizerState, kind?: WeightsKind, key?: DrawKey): NamedTensors;
  /** Present if the direction of a step is a sign, on which several workers can vote (`lmd`, `lion`, `signum`). */
  readonly signs?: SignUpdate;
  /** Present if the weights of several workers can be averaged in the state. */
  readonly positions?: StatePositions;
}

/**
 * What of a state says where the weights are, apart from momenta and other memory. A distributed run whose workers take
 * several steps on their own averages it.
 */
export interface StatePositions {
  /**
   * f32 by `<weight>/<vector>`: the weights, or where steps are multiplicative the logarithms of the medians, so that
   * the mean of several is a position between them. New handles.
   */
  read(ops: EagerOperations, state: OptimizerState): NamedTensors;
  /**
   * The state with other positions, and with the same step and memory. New handles.
   *
   * @throws LmdError `INVALID_ARGUMENT` if a position is missing or of another shape
   */
  write(ops: EagerOperations, state: OptimizerState, positions: NamedTensors): OptimizerState;
}

/**
 * The update of an optimizer whose step is a sign, in two parts: first the directions, then the step in given ones. In
 * between, a distributed run replaces the directions of one worker by those of the majority. `update` with the result
 * of `directions` has the bits of `Optimizer.update`.
 */
export interface SignUpdate {
  /**
   * The sign of each coordinate, −1, 0 or 1: f32 with the shape of the weight. Named `<weight>/<vector>` by the vector
   * of the state that moves against it. Weights of a group whose step is no sign are absent.
   */
  directions(ops: EagerOperations, state: OptimizerState, passes: readonly Pass[]): NamedTensors;
  /**
   * As `Optimizer.update`, but the weights move in `directions`. Momenta still follow the gradients of `passes`.
   *
   * @throws LmdError `INVALID_ARGUMENT` if a direction is missing
   */
  update(
    ops: EagerOperations,
    state: OptimizerState,
    passes: readonly Pass[],
    directions: NamedTensors,
    done?: (weight: string) => void,
  ): OptimizerState;
}
