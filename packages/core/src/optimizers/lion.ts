import { number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, movingAverage, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `lion`, declared once. */
export const lionOptionTable = {
  /**
   * Learning rate: the magnitude of the step of every coordinate. A number or a schedule, at least 0; default 0.0001.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 1e-4,
    describe: 'Learning rate: the magnitude of the step of every coordinate.',
  }),
  /** β₁: weight of the momentum in the direction of the step. At least 0 and below 1; default 0.9. */
  beta1: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β₁: weight of the momentum in the direction of the step.',
  }),
  /** β₂: decay rate of the momentum. At least 0 and below 1; default 0.99. */
  beta2: number({ atLeast: 0, below: 1, default: 0.99, describe: 'β₂: decay rate of the momentum.' }),
  /** Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay. At least 0; default 0. */
  weightDecay: number({
    atLeast: 0,
    default: 0,
    describe: 'Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay.',
  }),
} as const satisfies OptionTable;

export interface LionOptions extends OptionsOf<typeof lionOptionTable> {}

/**
 * Lion, evolved sign momentum (Chen et al., arXiv:2302.06675, algorithm 2):
 *
 *     w ← w − a·(sign(β₁·v + (1 − β₁)·g) + weightDecay·w);   v ← β₂·v + (1 − β₂)·g
 *
 * State a weight: `weight`, `momentum`. Additive: it draws the stored weights, and averages the gradients of several
 * passes. Its authors advise a learning rate 3 to 10 times smaller than AdamW's and a decay larger by as much.
 */
export function lion(options: LionOptions = {}): Optimizer {
  const { learningRate, beta1, beta2, weightDecay } = resolveOptions('lion', lionOptionTable, options);

  return perWeightRule({
    name: 'lion',
    vectors: ['weight', 'momentum'],
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight), momentum: ops.zeros(weight.shape) }),
    ...storedWeight,
    update(step) {
      const rate = learningRate(step);
      return (ops, { weight, momentum }, passes) => {
        const gradient = meanGradient(ops, passes);
        const direction = ops.sign(movingAverage(ops, momentum, gradient, beta1));
        return {
          weight: ops.subtract(ops.multiply(weight, 1 - rate * weightDecay), ops.multiply(direction, rate)),
          momentum: movingAverage(ops, momentum, gradient, beta2),
        };
      };
    },
  });
}
