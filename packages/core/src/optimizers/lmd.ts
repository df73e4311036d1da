import { LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { choiceOption } from '../options/checks.js';
import { streamOf } from '../random/stream.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { randomKey } from './draw-key.js';
import { type LmdDirections, lmdDirections, mapDirections } from './lmd-directions.js';
import { lmdInitialState, lmdInitialStateFromScales } from './lmd-initial-state.js';
import { type LmdOptions, resolveLmdOptions } from './lmd-options.js';
import { joinParts, type Part, partsOf } from './lmd-parts.js';
import { logPriorMedians } from './lmd-prior.js';
import { isScale } from './lmd-state-format.js';
import { type LmdOptionsOfStep, lmdStep } from './lmd-step.js';
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
  directionOf,
  freshHandle,
  gradientsOf,
  positionOf,
  stateName,
  vectorOf,
  weightNames,
} from './state.js';

/**
 * Log-Normal Multiplicative Dynamics: a Bayesian rule whose posterior over weights is log-normal, with multiplicative
 * updates, noise and regularization (Nishida, Kıral, Bannai, Khan & Möllenhoff, arXiv:2506.17768; its parent is the
 * Lie-group Bayesian learning rule, arXiv:2303.04397).
 *
 * This is a **reconstruction** from the paper's published ingredients (abstract, summaries and public reviews), not
 * from its algorithm box. Each ingredient left open is an option marked "our choice" in `LmdOptions`, and no default is
 * the paper's.
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
 * a, λ and σ may be schedules of the step. A draw and its update have the σ of one step; the mean to evaluate has that
 * of the step to come, and the initial state that of step 0.
 *
 * State a weight: `logPlus`, `logMinus`, `momentumPlus`, `momentumMinus` (absent with `gradientScaling: 'none'`), all
 * of the weight's shape, and the scalar `logPriorMedian`; with another `stateFormat`, words that hold codes of several
 * vectors each (`codesPlus`, `codesMinus` or `codes`) and the codes' scales (`logPlusScale` …). Noise is drawn from
 * (seed, stream of the weight's name, step, sample) and never stored; weights of more than 2^17 elements in another
 * `stateFormat` are handled in parts of so many, each with a stream of its own. `lmdLogMedians` reads the medians out
 * of any of them.
 *
 * `init` throws `INVALID_ARGUMENT` for a weight whose root mean square is 0 or not finite: a multiplicative rule cannot
 * leave 0. Pass such weights (biases, norm gains that start at 0) to `adamw` by `parameterGroups`.
 */
export function lmd(options: LmdOptions = {}): Optimizer {
  const resolved = resolveLmdOptions(options);
  const { learningRate, regularization, noise, update, samples, evaluation, evaluationSamples } = resolved;
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

  /** What is stored of a part of a weight. */
  function storedPart(ops: EagerOperations, stored: Record<string, Tensor>, part: Part): Record<string, Tensor> {
    return Object.fromEntries(
      Object.entries(stored).map(([name, tensor]) => {
        if (name === 'logPriorMedian') return [name, tensor];
        return [name, part.slice(ops, tensor, isScale(name) ? 'scale' : 'vector')];
      }),
    );
  }

  /** The noise of a part has a stream of its own, that of the first the weight's. */
  const keyOf = (weight: string, part: Part, key: DrawKey) =>
    randomKey('lmd', part.index === 0 ? weight : `${weight}/part ${part.index}`, key);

  /** One tensor a weight, each made in a scope of its own so that only results are alive together. */
  function eachWeight(
    ops: EagerOperations,
    state: OptimizerState,
    make: (keyed: (key: DrawKey) => RandomKey, logPlus: Tensor, logMinus: Tensor) => Tensor,
  ): NamedTensors {
    return ops.scope(() => {
      const weights: Record<string, Tensor> = {};
      for (const weight of weightsOf(state)) {
        const stored = storedOf(state, weight);
        const { shape } = stored[vectors[0]!]!;
        const { made } = joinParts(ops, shape, partsOf(shape, stateFormat.cut), (part) => {
          const own = storedPart(ops, stored, part);
          const { logPlus, logMinus } = stateFormat.medians(ops, own, logPriorMedians(ops, own, initialization));
          return { made: make((key) => keyOf(weight, part, key), logPlus, logMinus) };
        });
        weights[weight] = made!;
      }
      return weights;
    });
  }

  function draw(ops: EagerOperations, state: OptimizerState, key: DrawKey): NamedTensors {
    const sigma = noise(state.step);
    return eachWeight(ops, state, (keyed, logPlus, logMinus) => ops.lmdDraw(logPlus, logMinus, sigma, keyed(key)));
  }

  /** What the passes give for each weight. All is checked before the first weight is done and may be freed. */
  function givenOf(state: OptimizerState, passes: readonly Pass[]) {
    const names = weightsOf(state);
    checkPasses('lmd', samples, passes, names);
    return names.map((weight) => {
      const stored = storedOf(state, weight);
      const { shape } = stored[vectors[0]!]!;
      const gradients = gradientsOf('lmd', passes, weight, shape);
      const keysOf = (part: Part) => passes.map(({ key }) => keyOf(weight, part, key));
      return { weight, stored, shape, gradients, keysOf };
    });
  }

  function optionsOfStep(step: number): LmdOptionsOfStep {
    return {
      ...update,
      learningRate: learningRate(step),
      regularization: regularization(step),
      noise: noise(step),
    };
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
      directions: directions && directionsOf(directions, one.weight),
    }));
    const stepOptions = optionsOfStep(state.step);
    return ops.scope(() => {
      const tensors: Record<string, Tensor> = {};
      for (const { weight, stored, shape, gradients, keysOf, directions } of given) {
        const next = joinParts(ops, shape, partsOf(shape, stateFormat.cut), (part) => {
          const own = storedPart(ops, stored, part);
          const prior = logPriorMedians(ops, own, initialization);
          const current = stateFormat.read(ops, own, prior);
          const ownGradients = gradients.map((gradient) => part.slice(ops, gradient, 'vector'));
          const ownDirections = directions && mapDirections(directions, (all) => part.slice(ops, all, 'vector'));
          const keys = keysOf(part);
          const moved = lmdStep(ops, current, ownGradients, keys, prior, stepOptions, ownDirections);
          return stateFormat.write(ops, moved, prior, (vector) => ({
            ...keys[0]!,
            stream: streamOf(stateName(weight, vector)),
            step: state.step,
            sample: part.index,
          }));
        });
        for (const vector of vectors) {
          tensors[stateName(weight, vector)] = next[vector] ?? freshHandle(ops, stored[vector]!);
        }
        done?.(weight);
      }
      return { step: state.step + 1, tensors };
    });
  }

  const directionsOf = (directions: NamedTensors, weight: string): LmdDirections => ({
    logPlus: directionOf('lmd', directions, weight, 'logPlus'),
    ...(update.gradientScaling === 'none' ? {} : { logMinus: directionOf('lmd', directions, weight, 'logMinus') }),
  });

  const signs: SignUpdate = {
    directions(ops, state, passes) {
      const given = givenOf(state, passes);
      const { regularizer: _, regularizerAt: __, ...kernel } = optionsOfStep(state.step);
      return ops.scope(() => {
        const named: Record<string, Tensor> = {};
        for (const { weight, stored, shape, gradients, keysOf } of given) {
          const made = joinParts(ops, shape, partsOf(shape, stateFormat.cut), (part) => {
            const own = storedPart(ops, stored, part);
            const current = stateFormat.read(ops, own, logPriorMedians(ops, own, initialization));
            const ownGradients = gradients.map((gradient) => part.slice(ops, gradient, 'vector'));
            return { ...lmdDirections(ops, current, ownGradients, keysOf(part), kernel) };
          });
          for (const [vector, direction] of Object.entries(made)) named[stateName(weight, vector)] = direction;
        }
        return named;
      });
    },
    update: (ops, state, passes, directions, done) => updated(ops, state, passes, done, directions),
  };

  /** Log medians are averaged: a geometric mean of the medians. Codes are rounded to nearest. */
  const positions: StatePositions = {
    read: (ops, state) =>
      ops.scope(() => {
        const named: Record<string, Tensor> = {};
        for (const weight of weightsOf(state)) {
          const stored = storedOf(state, weight);
          const { shape } = stored[vectors[0]!]!;
          const made = joinParts(ops, shape, partsOf(shape, stateFormat.cut), (part) => {
            const own = storedPart(ops, stored, part);
            const medians = stateFormat.medians(ops, own, logPriorMedians(ops, own, initialization));
            return { logPlus: freshHandle(ops, medians.logPlus), logMinus: freshHandle(ops, medians.logMinus) };
          });
          for (const [half, medians] of Object.entries(made)) named[stateName(weight, half)] = medians;
        }
        return named;
      }),
    write: (ops, state, given) =>
      ops.scope(() => {
        const tensors: Record<string, Tensor> = {};
        for (const weight of weightsOf(state)) {
          const stored = storedOf(state, weight);
          const { shape } = stored[vectors[0]!]!;
          const logPlus = positionOf('lmd', given, weight, 'logPlus', shape);
          const logMinus = positionOf('lmd', given, weight, 'logMinus', shape);
          const next = joinParts(ops, shape, partsOf(shape, stateFormat.cut), (part) => {
            const own = storedPart(ops, stored, part);
            const prior = logPriorMedians(ops, own, initialization);
            const moved = {
              ...stateFormat.read(ops, own, prior),
              logPlus: part.slice(ops, logPlus, 'vector'),
              logMinus: part.slice(ops, logMinus, 'vector'),
            };
            const written = stateFormat.write(ops, moved, prior);
            return Object.fromEntries(Object.entries(written).map(([name, x]) => [name, freshHandle(ops, x)]));
          });
          for (const vector of vectors) {
            tensors[stateName(weight, vector)] = next[vector] ?? freshHandle(ops, stored[vector]!);
          }
        }
        return { step: state.step, tensors };
      }),
  };

  return {
    ...optimizerMarker,
    name: 'lmd',
    positions,
    samples,
    init: (ops, weights) => lmdInitialState(ops, weights, resolved),
    initFromScales: (ops, weights, scales) => lmdInitialStateFromScales(ops, weights, scales, resolved),
    draw,

    update: (ops, state, passes, done) => updated(ops, state, passes, done),
    ...(update.useSign ? { signs } : {}),

    /**
     * `mean`: exp(σ²/2)·(m⁺ − m⁻). `median`: m⁺ − m⁻, the difference of the halves' medians. `sample`: the average of
     * `evaluationSamples` draws, which are those of the samples key.sample·evaluationSamples and following.
     */
    weights(ops: EagerOperations, state: OptimizerState, kind: WeightsKind = evaluation, key?: DrawKey) {
      const checked = choiceOption('lmd', 'kind', kind === undefined ? evaluation : kind, weightsKinds);
      if (checked === 'sample') return averageDraws(ops, state, requireKey(key));
      const sigma = noise(state.step);
      const shift = checked === 'mean' ? (sigma * sigma) / 2 : 0;
      return eachWeight(ops, state, (_keyed, logPlus, logMinus) =>
        ops.subtract(ops.exp(ops.add(logPlus, shift)), ops.exp(ops.add(logMinus, shift))),
      );
    },
  };

  function averageDraws(ops: EagerOperations, state: OptimizerState, key: DrawKey): NamedTensors {
    const sigma = noise(state.step);
    return eachWeight(ops, state, (keyed, logPlus, logMinus) => {
      const one = (index: number) =>
        ops.lmdDraw(logPlus, logMinus, sigma, keyed({ ...key, sample: key.sample * evaluationSamples + index }));
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
  throw new LmdError('INVALID_ARGUMENT', "lmd: weights of kind 'sample' need a key.", {
    subject: 'key',
    remedy: "Pass { seed, step, sample }, or use 'mean' or 'median'.",
  });
}
