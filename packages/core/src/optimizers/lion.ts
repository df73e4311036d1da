import type { Optimizer, Schedule } from './optimizer.js';
import { checkOptionNames, learningRateOption, numberOption } from './options.js';
import { meanGradient, movingAverage, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

export interface LionOptions {
  /** Step size: every coordinate moves by it. A number or a schedule, at least 0; default 1e-4. */
  readonly learningRate?: number | Schedule;
  /** β₁: how much of the momentum is in the step's direction, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** β₂: decay of the momentum, in [0, 1). Default 0.99. */
  readonly beta2?: number;
  /** Decoupled decay: each step takes learningRate·weightDecay of the weight. At least 0; default 0. */
  readonly weightDecay?: number;
}

const optionNames = ['learningRate', 'beta1', 'beta2', 'weightDecay'] as const satisfies readonly (keyof LionOptions)[];

/**
 * Lion, evolved sign momentum (Chen et al., arXiv:2302.06675, algorithm 2):
 *
 *     w ← w − a·(sign(β₁·v + (1 − β₁)·g) + weightDecay·w);   v ← β₂·v + (1 − β₂)·g
 *
 * State a weight: `weight`, `momentum`. Additive: it draws the stored weights, and averages the gradients of several passes.
 * Its authors advise a learning rate 3 to 10 times smaller than AdamW's and a decay larger by as much.
 */
export function lion(options: LionOptions = {}): Optimizer {
  checkOptionNames('lion', options, optionNames);
  const learningRate = learningRateOption('lion', options.learningRate, 1e-4);
  const beta1 = numberOption('lion', 'beta1', options.beta1, 0.9, { atLeast: 0, below: 1 });
  const beta2 = numberOption('lion', 'beta2', options.beta2, 0.99, { atLeast: 0, below: 1 });
  const weightDecay = numberOption('lion', 'weightDecay', options.weightDecay, 0, { atLeast: 0 });

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
