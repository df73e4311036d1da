import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { choiceOption } from '../options/checks.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { randomKey } from './draw-key.js';
import { averageGradients } from './gradients.js';
import { checkedScales, rootMeanSquares } from './initial-scale.js';
import { optimizerMarker } from './marker.js';
import {
  type DrawKey,
  type Optimizer,
  type OptimizerState,
  type Pass,
  type SignUpdate,
  type StatePositions,
  type WeightsKind,
  weightsKinds,
} from './optimizer.js';
import {
  checkPasses,
  checkVectors,
  checkWeights,
  directionOf,
  freshHandle,
  gradientsOf,
  positionOf,
  stateName,
  vectorOf,
  weightNames,
} from './state.js';

/** The vectors that a rule holds of one weight, by name. */
export type Vectors<Name extends string> = { readonly [name in Name]: Tensor };

/** One pass as one weight sees it. Only a rule that uses noise asks for the key, so only there can it be missing. */
export interface WeightPass {
  readonly gradient: Tensor;
  /** Key of the weight's draw, or of noise of its own for one of its vectors, `<weight>/<vector>`. */
  readonly key: (vector?: string) => RandomKey;
}

/** A rule that treats every weight alike and apart from the others. Each function runs in a scope of its own. */
export interface PerWeightRule<Name extends string> {
  readonly name: string;
  readonly samples?: number;
  /** Names of all vectors; the first has the shape of the weight. */
  readonly vectors: readonly [Name, ...Name[]];
  /** Whether `initial` needs the root mean square of the initial weight, which then may not be 0. */
  readonly startsFromScale?: boolean;
  /** New handles. `scale` is NaN unless the rule starts from it. */
  initial(ops: EagerOperations, weight: Tensor, scale: number): Vectors<Name>;
  draw(ops: EagerOperations, vectors: Vectors<Name>, key: () => RandomKey): Tensor;
  /** The weight to evaluate, where that is no draw. */
  evaluate(ops: EagerOperations, vectors: Vectors<Name>, kind: 'mean' | 'median'): Tensor;
  /** The update of one step, counted from 0: what depends on the step alone is computed once for all weights. */
  update(
    step: number,
  ): (ops: EagerOperations, vectors: Vectors<Name>, passes: readonly WeightPass[], direction?: Tensor) => Vectors<Name>;
  /**
   * The sign of the first vector's step, for a rule whose step is a sign: `update` then takes it as its `direction`,
   * and computes it if there is none.
   */
  readonly direction?: (ops: EagerOperations, vectors: Vectors<Name>, passes: readonly WeightPass[]) => Tensor;
  /** The vectors that say where the weight is, and whose mean over several workers is a position too. */
  readonly positions?: readonly Name[] | undefined;
}

/**
 * An `Optimizer` of a rule stated for one weight: names, checks, and a scope a weight, so that only results live
 * together.
 */
export function perWeightRule<Name extends string>(rule: PerWeightRule<Name>): Optimizer {
  const { name: owner, samples = 1, vectors: names } = rule;

  function vectorsOf(state: OptimizerState, weight: string): Vectors<Name> {
    const entries = names.map((vector) => [vector, vectorOf(owner, state, weight, vector)]);
    return Object.fromEntries(entries) as Vectors<Name>;
  }

  function weightsOf(state: OptimizerState): string[] {
    checkVectors(owner, state, names);
    return weightNames(owner, state, names[0]);
  }

  function eachWeight(
    ops: EagerOperations,
    state: OptimizerState,
    make: (vectors: Vectors<Name>, weight: string) => Tensor,
  ): NamedTensors {
    return ops.scope(() => {
      const weights: Record<string, Tensor> = {};
      for (const weight of weightsOf(state)) {
        weights[weight] = ops.scope(() => make(vectorsOf(state, weight), weight));
      }
      return weights;
    });
  }

  function stateFrom(
    ops: EagerOperations,
    weights: NamedTensors,
    scales: ReadonlyMap<string, number> | undefined,
  ): OptimizerState {
    return ops.scope(() => {
      const tensors: Record<string, Tensor> = {};
      for (const [weight, value] of Object.entries(weights)) {
        const vectors = ops.scope(() => rule.initial(ops, value, scales?.get(weight) ?? Number.NaN));
        for (const vector of names) tensors[stateName(weight, vector)] = vectors[vector];
      }
      return { step: 0, tensors };
    });
  }

  const draw = (ops: EagerOperations, state: OptimizerState, key: DrawKey | undefined) =>
    eachWeight(ops, state, (vectors, weight) => rule.draw(ops, vectors, () => randomKey(owner, weight, key)));

  /** What the passes give for each weight. All is checked before the first weight is done and may be freed. */
  function givenOf(state: OptimizerState, passes: readonly Pass[]) {
    const weights = weightsOf(state);
    checkPasses(owner, samples, passes, weights);
    return weights.map((weight) => {
      const current = vectorsOf(state, weight);
      const gradients = gradientsOf(owner, passes, weight, current[names[0]].shape);
      const weightPasses = gradients.map(
        (gradient, index): WeightPass => ({
          gradient,
          key: (vector) =>
            randomKey(owner, vector === undefined ? weight : stateName(weight, vector), passes[index]!.key),
        }),
      );
      return { weight, current, weightPasses };
    });
  }

  function updated(
    ops: EagerOperations,
    state: OptimizerState,
    passes: readonly Pass[],
    done: ((weight: string) => void) | undefined,
    directions?: NamedTensors,
  ): OptimizerState {
    const given = givenOf(state, passes).map((one) => ({
      ...one,
      direction: directions && directionOf(owner, directions, one.weight, names[0]),
    }));
    const update = rule.update(state.step);
    return ops.scope(() => {
      const tensors: Record<string, Tensor> = {};
      for (const { weight, current, weightPasses, direction } of given) {
        const next = ops.scope(() => update(ops, current, weightPasses, direction));
        for (const vector of names) tensors[stateName(weight, vector)] = next[vector];
        done?.(weight);
      }
      return { step: state.step + 1, tensors };
    });
  }

  const { direction } = rule;
  const signs: SignUpdate | undefined = direction && {
    directions: (ops, state, passes) =>
      ops.scope(() =>
        Object.fromEntries(
          givenOf(state, passes).map(({ weight, current, weightPasses }) => [
            stateName(weight, names[0]),
            ops.scope(() => direction(ops, current, weightPasses)),
          ]),
        ),
      ),
    update: (ops, state, passes, directions, done) => updated(ops, state, passes, done, directions),
  };

  const positions: StatePositions | undefined = rule.positions && {
    read: (ops, state) =>
      ops.scope(() =>
        Object.fromEntries(
          weightsOf(state).flatMap((weight) =>
            rule.positions!.map((vector) => [
              stateName(weight, vector),
              freshHandle(ops, vectorOf(owner, state, weight, vector)),
            ]),
          ),
        ),
      ),
    write: (ops, state, given) =>
      ops.scope(() => {
        const tensors: Record<string, Tensor> = {};
        for (const weight of weightsOf(state)) {
          const current = vectorsOf(state, weight);
          for (const vector of names) {
            const own = current[vector];
            const isPosition = rule.positions!.includes(vector);
            const next = isPosition ? positionOf(owner, given, weight, vector, own.shape) : own;
            tensors[stateName(weight, vector)] = freshHandle(ops, next);
          }
        }
        return { step: state.step, tensors };
      }),
  };

  return {
    ...optimizerMarker,
    name: owner,
    samples,
    ...(signs === undefined ? {} : { signs }),
    ...(positions === undefined ? {} : { positions }),

    async init(ops, weights) {
      checkWeights(owner, weights);
      return stateFrom(ops, weights, rule.startsFromScale ? await rootMeanSquares(owner, ops, weights) : undefined);
    },

    initFromScales(ops, weights, scales) {
      checkWeights(owner, weights);
      return stateFrom(ops, weights, rule.startsFromScale ? checkedScales(owner, weights, scales) : undefined);
    },

    draw,

    weights(ops, state, kind?: WeightsKind, key?: DrawKey) {
      const checked = choiceOption(owner, 'kind', kind === undefined ? 'mean' : kind, weightsKinds);
      if (checked === 'sample') return draw(ops, state, key);
      return eachWeight(ops, state, (vectors) => rule.evaluate(ops, vectors, checked));
    },

    update: (ops, state, passes, done) => updated(ops, state, passes, done),
  };
}

/**
 * `draw`, `evaluate` and `positions` of an optimizer that stores the weight itself: all kinds of weights are the stored
 * one.
 */
export const storedWeight = {
  draw: (ops: EagerOperations, { weight }: Vectors<'weight'>) => freshHandle(ops, weight),
  evaluate: (ops: EagerOperations, { weight }: Vectors<'weight'>) => freshHandle(ops, weight),
  positions: ['weight'],
} as const;

/** Mean of the gradients of the passes; with one pass, that gradient itself. */
export function meanGradient(ops: EagerOperations, passes: readonly WeightPass[]): Tensor {
  return averageGradients(
    ops,
    passes.map(({ gradient }) => gradient),
  );
}

/** Mean of a tensor computed from each pass. Only the sum is kept from one pass to the next. */
export function meanOver(
  ops: EagerOperations,
  passes: readonly WeightPass[],
  make: (pass: WeightPass) => Tensor,
): Tensor {
  return ops.scope(() => {
    let sum: Tensor | undefined;
    for (const pass of passes) {
      const before = sum;
      sum = ops.scope(() => (before === undefined ? make(pass) : ops.add(before, make(pass))));
      if (before !== undefined) ops.dispose(before);
    }
    return passes.length === 1 ? sum! : ops.multiply(sum!, 1 / passes.length);
  });
}

/** β·momentum + (1 − β)·gradient. */
export function movingAverage(ops: EagerOperations, momentum: Tensor, gradient: Tensor, beta: number): Tensor {
  return ops.weightedSum(momentum, beta, gradient, 1 - beta);
}
