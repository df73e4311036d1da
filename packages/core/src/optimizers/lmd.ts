import type { LmdTensors, LmdUpdateOptions } from '../backend.js';
import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import { streamOf } from '../random/stream.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { randomKey } from './draw-key.js';
import { lmdInitialState, lmdInitialStateFromScales } from './lmd-initial-state.js';
import { type LmdOptions, resolveLmdOptions } from './lmd-options.js';
import { logPriorMedians } from './lmd-prior.js';
import type { LogPriorMedians } from './lmd-state-format.js';
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
 * weight's shape, and the scalar `logPriorMedian`; with another `stateFormat`, words that hold codes of several vectors each
 * (`codesPlus`, `codesMinus` or `codes`) and the codes' scales (`logPlusScale` …). Noise is drawn from (seed, stream of the
 * weight's name, step, sample) and never stored. `lmdLogMedians` reads the medians out of any of them.
 *
 * `init` throws `INVALID_ARGUMENT` for a weight whose root mean square is 0 or not finite: a multiplicative rule cannot leave 0.
 * Give such weights (biases, norm gains that start at 0) to `adamw` by `parameterGroups`.
 */
export function lmd(options: LmdOptions = {}): Optimizer {
  const resolved = resolveLmdOptions(options);
  const { learningRate, update, samples, evaluation, evaluationSamples } = resolved;
  const { stateFormat, initialization } = resolved;
  const vectors = [
    ...stateFormat.names,
    ...(resolved.priorMedian === 'initialWeights' ? ['priorWeight'] : []),
    'logPriorMedian',
  ];

  function weightsOf(state: OptimizerState): string[] {
    checkVectors('lmd', state, vectors);
    return weightNames('lmd', state, vectors[0]!);
  }

  function storedOf(state: OptimizerState, weight: string): Record<string, Tensor> {
    return Object.fromEntries(vectors.map((vector) => [vector, vectorOf('lmd', state, weight, vector)]));
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
        weights[weight] = ops.scope(() => {
          const stored = storedOf(state, weight);
          const { logPlus, logMinus } = stateFormat.medians(ops, stored, logPriorMedians(ops, stored, initialization));
          return make(weight, logPlus, logMinus);
        });
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
          const stored = storedOf(state, weight);
          const gradients = gradientsOf('lmd', passes, weight, stored[vectors[0]!]!.shape);
          const keys = passes.map(({ key }) => randomKey('lmd', weight, key));
          const next = ops.scope(() => {
            const prior = logPriorMedians(ops, stored, initialization);
            const current = stateFormat.read(ops, stored, prior);
            const moved =
              prior.logPlus === prior.logMinus
                ? ops.lmdUpdate(current, gradients, keys, prior.logPlus, stepOptions)
                : updateAboutEach(ops, current, gradients, keys, prior, stepOptions);
            return stateFormat.write(ops, moved, prior, (vector) =>
              ops.randomUniform(current.logPlus.shape, {
                ...keys[0]!,
                stream: streamOf(stateName(weight, vector)),
                step: state.step,
                sample: 0,
              }),
            );
          });
          for (const vector of vectors) {
            tensors[stateName(weight, vector)] = next[vector] ?? freshHandle(ops, stored[vector]!);
          }
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

/**
 * An update whose log-normal prior has a median for each coordinate and half. The update is linear in log m₀, so it is that about
 * m₀ = 1 with a·λ·log m₀ added, and kernels need to know one scalar alone.
 */
function updateAboutEach(
  ops: EagerOperations,
  current: LmdTensors,
  gradients: readonly Tensor[],
  keys: Parameters<EagerOperations['lmdUpdate']>[2],
  prior: LogPriorMedians,
  options: LmdUpdateOptions,
): LmdTensors {
  return ops.scope(() => {
    const next = ops.lmdUpdate(current, gradients, keys, ops.zeros([]), options);
    const rate = options.learningRate * options.regularization;
    return {
      ...next,
      logPlus: ops.add(next.logPlus, ops.multiply(prior.logPlus, rate)),
      logMinus: ops.add(next.logMinus, ops.multiply(prior.logMinus, rate)),
    };
  });
}

function requireKey(key: DrawKey | undefined): DrawKey {
  if (key !== undefined) return key;
  throw new LmdError('INVALID_ARGUMENT', "lmd: weights of kind 'sample' were asked for without a key.", {
    subject: 'key',
    remedy: "Give { seed, step, sample }, or ask for 'mean' or 'median'.",
  });
}
