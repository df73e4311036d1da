import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { averageGradients } from './gradients.js';
import type { Optimizer, OptimizerState, Pass, Schedule } from './optimizer.js';
import { checkOptionNames, learningRateOption, numberOption, weightsKindOption } from './options.js';
import { checkPasses, checkWeights, freshHandle, gradientsOf, stateName, vectorOf, weightNames } from './state.js';

export interface AdamwOptions {
  /** Step size, or a schedule of it. At least 0; default 1e-3. */
  readonly learningRate?: number | Schedule;
  /** Decay of the average of gradients, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** Decay of the average of squared gradients, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. Above 0; default 1e-8. */
  readonly epsilon?: number;
  /** Decoupled decay: each step takes learningRate·weightDecay of the weight. At least 0; default 0.01. */
  readonly weightDecay?: number;
}

const optionNames = [
  'learningRate',
  'beta1',
  'beta2',
  'epsilon',
  'weightDecay',
] as const satisfies readonly (keyof AdamwOptions)[];

/**
 * AdamW: Adam with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101, algorithm 2; the decay is multiplied by the
 * learning rate, as PyTorch does):
 *
 *     w ← w·(1 − a·weightDecay)
 *     m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²
 *     w ← w − a·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + epsilon)
 *
 * State a weight: `weight`, `firstMoment`, `secondMoment`. Additive: it draws the stored weights, all kinds of evaluation
 * weights are the same, and given several passes it averages their gradients.
 */
export function adamw(options: AdamwOptions = {}): Optimizer {
  checkOptionNames('adamw', options, optionNames);
  const learningRate = learningRateOption('adamw', options.learningRate, 1e-3);
  const beta1 = numberOption('adamw', 'beta1', options.beta1, 0.9, { atLeast: 0, below: 1 });
  const beta2 = numberOption('adamw', 'beta2', options.beta2, 0.999, { atLeast: 0, below: 1 });
  const epsilon = numberOption('adamw', 'epsilon', options.epsilon, 1e-8, { above: 0 });
  const weightDecay = numberOption('adamw', 'weightDecay', options.weightDecay, 0.01, { atLeast: 0 });

  function storedWeights(ops: EagerOperations, state: OptimizerState): NamedTensors {
    const weights: Record<string, Tensor> = {};
    return ops.scope(() => {
      for (const name of weightNames('adamw', state, 'weight')) {
        weights[name] = freshHandle(ops, vectorOf('adamw', state, name, 'weight'));
      }
      return weights;
    });
  }

  return {
    name: 'adamw',
    samples: 1,

    async init(ops, weights) {
      checkWeights('adamw', weights);
      return ops.scope(() => {
        const tensors: Record<string, Tensor> = {};
        for (const [name, weight] of Object.entries(weights)) {
          tensors[stateName(name, 'weight')] = freshHandle(ops, weight);
          tensors[stateName(name, 'firstMoment')] = ops.zeros(weight.shape);
          tensors[stateName(name, 'secondMoment')] = ops.zeros(weight.shape);
        }
        return { step: 0, tensors };
      });
    },

    draw: storedWeights,

    weights(ops, state, kind) {
      weightsKindOption('adamw', 'kind', kind, 'mean');
      return storedWeights(ops, state);
    },

    update(ops: EagerOperations, state: OptimizerState, passes: readonly Pass[]) {
      const names = weightNames('adamw', state, 'weight');
      checkPasses('adamw', 1, passes, names);
      const step = state.step + 1;
      const update = { learningRate: learningRate(state.step), beta1, beta2, epsilon, weightDecay, step };
      return ops.scope(() => {
        const tensors: Record<string, Tensor> = {};
        for (const name of names) {
          const weights = vectorOf('adamw', state, name, 'weight');
          const gradients = gradientsOf('adamw', passes, name, weights.shape);
          // A scope a weight: with many passes, only one weight's average is alive at a time.
          const next = ops.scope(() =>
            ops.adamwUpdate(
              {
                weights,
                firstMoment: vectorOf('adamw', state, name, 'firstMoment'),
                secondMoment: vectorOf('adamw', state, name, 'secondMoment'),
              },
              averageGradients(ops, gradients),
              update,
            ),
          );
          tensors[stateName(name, 'weight')] = next.weights;
          tensors[stateName(name, 'firstMoment')] = next.firstMoment;
          tensors[stateName(name, 'secondMoment')] = next.secondMoment;
        }
        return { step, tensors };
      });
    },
  };
}
