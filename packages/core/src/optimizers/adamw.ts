import type { Optimizer, Schedule } from './optimizer.js';
import { checkOptionNames, learningRateOption, numberOption } from './options.js';
import { meanGradient, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

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

/** The numbers that `adamw` takes where none is given. */
export const adamwDefaults = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
} as const satisfies AdamwOptions;

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
  const learningRate = learningRateOption('adamw', options.learningRate, adamwDefaults.learningRate);
  const beta1 = numberOption('adamw', 'beta1', options.beta1, adamwDefaults.beta1, { atLeast: 0, below: 1 });
  const beta2 = numberOption('adamw', 'beta2', options.beta2, adamwDefaults.beta2, { atLeast: 0, below: 1 });
  const epsilon = numberOption('adamw', 'epsilon', options.epsilon, adamwDefaults.epsilon, { above: 0 });
  const weightDecay = numberOption('adamw', 'weightDecay', options.weightDecay, adamwDefaults.weightDecay, {
    atLeast: 0,
  });

  return perWeightRule({
    name: 'adamw',
    vectors: ['weight', 'firstMoment', 'secondMoment'],
    initial: (ops, weight) => ({
      weight: freshHandle(ops, weight),
      firstMoment: ops.zeros(weight.shape),
      secondMoment: ops.zeros(weight.shape),
    }),
    ...storedWeight,
    update(step) {
      const update = { learningRate: learningRate(step), beta1, beta2, epsilon, weightDecay, step: step + 1 };
      return (ops, { weight, firstMoment, secondMoment }, passes) => {
        const { weights, ...moments } = ops.adamwUpdate(
          { weights: weight, firstMoment, secondMoment },
          meanGradient(ops, passes),
          update,
        );
        return { weight: weights, ...moments };
      };
    },
  });
}
