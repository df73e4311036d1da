import type { EagerOperations } from '../operations.js';
import type { Schedule } from '../options/schedule.js';
import type { Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import {
  meanGradient,
  movingAverage,
  perWeightRule,
  storedWeight,
  type Vectors,
  type WeightPass,
} from './per-weight-rule.js';
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

  function direction(
    ops: EagerOperations,
    { momentum }: Vectors<'weight' | 'momentum'>,
    passes: readonly WeightPass[],
  ): Tensor {
    return ops.scope(() => ops.sign(movingAverage(ops, momentum, meanGradient(ops, passes), beta1)));
  }

  return perWeightRule({
    name,
    vectors: ['weight', 'momentum'],
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight), momentum: ops.zeros(weight.shape) }),
    ...storedWeight,
    direction,
    update(step) {
      const rate = learningRate(step);
      return (ops, vectors, passes, given) => {
        const { weight, momentum } = vectors;
        const sign = given ?? direction(ops, vectors, passes);
        return {
          weight: ops.weightedSum(weight, 1 - rate * weightDecay, sign, -rate),
          momentum: movingAverage(ops, momentum, meanGradient(ops, passes), beta2),
        };
      };
    },
  });
}
