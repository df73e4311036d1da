import { number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { defaultsOf, resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `adamw`, declared once. */
export const adamwOptionTable = {
  /** Learning rate. A number or a schedule, at least 0; default 0.001. */
  learningRate: schedule({ atLeast: 0, default: 1e-3, describe: 'Learning rate.' }),
  /** β₁: decay rate of the moving average of the gradient. At least 0 and below 1; default 0.9. */
  beta1: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β₁: decay rate of the moving average of the gradient.',
  }),
  /** β₂: decay rate of the moving average of the squared gradient. At least 0 and below 1; default 0.999. */
  beta2: number({
    atLeast: 0,
    below: 1,
    default: 0.999,
    describe: 'β₂: decay rate of the moving average of the squared gradient.',
  }),
  /** ε: added to the denominator for numerical stability. Above 0; default 1e-8. */
  epsilon: number({ above: 0, default: 1e-8, describe: 'ε: added to the denominator for numerical stability.' }),
  /**
   * Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay. At least 0; default 0.01.
   */
  weightDecay: number({
    atLeast: 0,
    default: 0.01,
    describe: 'Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay.',
  }),
} as const satisfies OptionTable;

export interface AdamwOptions extends OptionsOf<typeof adamwOptionTable> {}

/** Defaults of `adamw`. */
export const adamwDefaults = defaultsOf(adamwOptionTable);

/**
 * AdamW: Adam with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101, algorithm 2; the decay is multiplied
 * by the learning rate, as PyTorch does):
 *
 *     w ← w·(1 − a·weightDecay)
 *     m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²
 *     w ← w − a·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + epsilon)
 *
 * State a weight: `weight`, `firstMoment`, `secondMoment`. Additive: it draws the stored weights, all kinds of
 * evaluation weights are the same, and given several passes it averages their gradients.
 */
export function adamw(options: AdamwOptions = {}): Optimizer {
  const { learningRate, ...rest } = resolveOptions('adamw', adamwOptionTable, options);

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
      const update = { learningRate: learningRate(step), ...rest, step: step + 1 };
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
