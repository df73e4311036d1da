import type { LmdTensors } from '../backend.js';
import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { randomKey } from './draw-key.js';
import { lmdInitialState, lmdInitialStateFromScales } from './lmd-initial-state.js';
import { type LmdOptions, resolveLmdOptions } from './lmd-options.js';
import type { DrawKey, Optimizer, OptimizerState, Pass, WeightsKind } from './optimizer.js';
import { weightsKindOption } from './options.js';
import { checkPasses, checkVectors, freshHandle, gradientsOf, stateName, vectorOf, weightNames } from './state.js';

/**
 * Log-Normal Multiplicative Dynamics: a Bayesian rule whose posterior over weights is log-normal, with multiplicative updates,
 * noise and regularization (Nishida, Kıral, Bannai, Khan & Möllenhoff, arXiv:2506.17768; its parent is the Lie-group Bayesian
 * learning rule, arXiv:2303.04397).
 *
 * This is a **reconstruction** from the paper's published ingredients (abstract, summaries and public reviews), not from its
 * algorithm box. Each ingredient left open is an option marked "a choice of ours" in `LmdOptions`, and no default is the
 * paper's.
 *
 * Each signed weight is the difference of two positive ones with medians m⁺ and m⁻. For each of the S draws of a step,
 *
 *     θ± = m±·exp(σ·e±),  e± ~ N(0, 1);   w = θ⁺ − θ⁻;   g = gradient of the loss at w
 *     G± += ±θ±·g / S                                   (the gradient in log m±)
 *
 * and then, with v_temp written t,
 *
 *     t± = β₁·v± + (1 − β₁)·G±;   v± ← β₂·v± + (1 − β₂)·G±
 *     log m± ← log m± − a·(sign(t±) + λ·R(m±))
 *
 * State a weight: `logPlus`, `logMinus`, `momentumPlus`, `momentumMinus` (absent with `gradientScaling: 'none'`), all of the
 * weight's shape, and the scalar `logPriorMedian`. Noise is drawn from (seed, stream of the weight's name, step, sample) and
 * never stored.
 *
 * `init` throws `INVALID_ARGUMENT` for a weight whose root mean square is 0 or not finite: a multiplicative rule cannot leave 0.
 * Give such weights (biases, norm gains that start at 0) to `adamw` by `parameterGroups`.
 */
export function lmd(options: LmdOptions = {}): Optimizer {
  const resolved = resolveLmdOptions(options);
  const { learningRate, update, samples, evaluation, evaluationSamples } = resolved;
  const vectors =
    update.gradientScaling === 'sample'
      ? (['logPlus', 'logMinus', 'momentumPlus', 'momentumMinus'] as const)
      : (['logPlus', 'logMinus', 'momentumPlus'] as const);

  function weightsOf(state: OptimizerState): string[] {
    checkVectors('lmd', state, [...vectors, 'logPriorMedian']);
    return weightNames('lmd', state, 'logPlus');
  }

  function tensorsOf(state: OptimizerState, weight: string): LmdTensors {
    return Object.fromEntries(
      vectors.map((vector) => [vector, vectorOf('lmd', state, weight, vector)]),
    ) as unknown as LmdTensors;
  }

  /** One tensor a weight, each made in a scope of its own so that only results are alive together. */
  function eachWeight(
    ops: EagerOperations,
    state: OptimizerState,
    make: (weight: string, logPlus: Tensor, logMinus: Tensor) => Tensor,
  ): NamedTensors {
    return ops.scope(() => {
      const weights: Record<string, Tensor> = {};
      for (const weight of weightsOf(state)) {
        const { logPlus, logMinus } = tensorsOf(state, weight);
        weights[weight] = ops.scope(() => make(weight, logPlus, logMinus));
      }
      return weights;
    });
  }

  function draw(ops: EagerOperations, state: OptimizerState, key: DrawKey): NamedTensors {
    return eachWeight(ops, state, (weight, logPlus, logMinus) =>
      ops.lmdDraw(logPlus, logMinus, update.noise, randomKey('lmd', weight, key)),
    );
  }

  return {
    name: 'lmd',
    samples,
    init: (ops, weights) => lmdInitialState(ops, weights, resolved),
    initFromScales: (ops, weights, scales) => lmdInitialStateFromScales(ops, weights, scales, resolved),
    draw,

    update(ops: EagerOperations, state: OptimizerState, passes: readonly Pass[]) {
      const names = weightsOf(state);
      checkPasses('lmd', samples, passes, names);
      const stepOptions = { ...update, learningRate: learningRate(state.step) };
      return ops.scope(() => {
        const tensors: Record<string, Tensor> = {};
        for (const weight of names) {
          const current = tensorsOf(state, weight);
          const logPriorMedian = vectorOf('lmd', state, weight, 'logPriorMedian');
          const gradients = gradientsOf('lmd', passes, weight, current.logPlus.shape);
          const keys = passes.map(({ key }) => randomKey('lmd', weight, key));
          const next = ops.scope(() => ops.lmdUpdate(current, gradients, keys, logPriorMedian, stepOptions));
          for (const vector of vectors) tensors[stateName(weight, vector)] = next[vector as keyof LmdTensors]!;
          tensors[stateName(weight, 'logPriorMedian')] = freshHandle(ops, logPriorMedian);
        }
        return { step: state.step + 1, tensors };
      });
    },

    /**
     * `mean`: exp(σ²/2)·(m⁺ − m⁻). `median`: m⁺ − m⁻, the difference of the halves' medians. `sample`: the average of
     * `evaluationSamples` draws, which are those of the samples key.sample·evaluationSamples and following.
     */
    weights(ops: EagerOperations, state: OptimizerState, kind: WeightsKind = evaluation, key?: DrawKey) {
      const checked = weightsKindOption('lmd', 'kind', kind, evaluation);
      if (checked === 'sample') return averageDraws(ops, state, requireKey(key));
      const shift = checked === 'mean' ? (update.noise * update.noise) / 2 : 0;
      return eachWeight(ops, state, (_, logPlus, logMinus) =>
        ops.subtract(ops.exp(ops.add(logPlus, shift)), ops.exp(ops.add(logMinus, shift))),
      );
    },
  };

  function averageDraws(ops: EagerOperations, state: OptimizerState, key: DrawKey): NamedTensors {
    return eachWeight(ops, state, (weight, logPlus, logMinus) => {
      const one = (index: number) =>
        ops.lmdDraw(
          logPlus,
          logMinus,
          update.noise,
          randomKey('lmd', weight, { ...key, sample: key.sample * evaluationSamples + index }),
        );
      if (evaluationSamples === 1) return one(0);
      let sum = one(0);
      for (let index = 1; index < evaluationSamples; index++) {
        const before = sum;
        sum = ops.scope(() => ops.add(before, one(index)));
        ops.dispose(before);
      }
      return ops.multiply(sum, 1 / evaluationSamples);
    });
  }
}

function requireKey(key: DrawKey | undefined): DrawKey {
  if (key !== undefined) return key;
  throw new LmdError('INVALID_ARGUMENT', "lmd: weights of kind 'sample' were asked for without a key.", {
    subject: 'key',
    remedy: "Give { seed, step, sample }, or ask for 'mean' or 'median'.",
  });
}
