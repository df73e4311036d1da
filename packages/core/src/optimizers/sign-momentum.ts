import type { Schedule } from '../options/schedule.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, movingAverage, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

export interface SignMomentumOptions {
  readonly learningRate: Schedule;
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
}

/**
 * The rule that `lion` and `signum` share; `signum` is the case β₁ = β₂:
 *
 *     w ← w − a·(sign(β₁·v + (1 − β₁)·g) + weightDecay·w);   v ← β₂·v + (1 − β₂)·g
 */
export function signMomentum(name: string, options: SignMomentumOptions): Optimizer {
  const { learningRate, beta1, beta2, weightDecay } = options;

  return perWeightRule({
    name,
    vectors: ['weight', 'momentum'],
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight), momentum: ops.zeros(weight.shape) }),
    ...storedWeight,
    update(step) {
      const rate = learningRate(step);
      return (ops, { weight, momentum }, passes) => {
        const gradient = meanGradient(ops, passes);
        const next = movingAverage(ops, momentum, gradient, beta2);
        const push = beta1 === beta2 ? next : movingAverage(ops, momentum, gradient, beta1);
        return {
          weight: ops.subtract(ops.multiply(weight, 1 - rate * weightDecay), ops.multiply(ops.sign(push), rate)),
          momentum: next,
        };
      };
    },
  });
}
