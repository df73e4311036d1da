import { choice, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `multiplicativeWeights`, declared once. */
export const multiplicativeWeightsOptionTable = {
  /**
   * a: learning rate in log |w|: with 0.003 and the cost `sign`, |w| changes by 0.3 % per step. A number or a schedule,
   * at least 0; default 0.003.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 3e-3,
    describe: 'a: learning rate in log |w|: with 0.003 and the cost `sign`, |w| changes by 0.3 % per step.',
  }),
  /**
   * c: cost of a weight, by which its magnitude shrinks. `sign` (our choice of a cost in [−1, 1], which the method
   * requires): sign(w)·sign(g). `gradient`: sign(w)·g, the derivative of the loss with respect to |w|. `sign` or
   * `gradient`; default `sign`.
   */
  cost: choice(['sign', 'gradient'], {
    default: 'sign',
    describe:
      'c: cost of a weight, by which its magnitude shrinks. `sign` (our choice of a cost in [−1, 1], which the method ' +
      'requires): sign(w)·sign(g). `gradient`: sign(w)·g, the derivative of the loss with respect to |w|.',
  }),
} as const satisfies OptionTable;

export interface MultiplicativeWeightsOptions extends OptionsOf<typeof multiplicativeWeightsOptionTable> {}

/**
 * Multiplicative weights update in its exponential form, Hedge (Freund & Schapire 1997, "A decision-theoretic
 * generalization of on-line learning and an application to boosting"; Arora, Hazan & Kale 2012, "The multiplicative
 * weights update method: a meta-algorithm and applications"), on the magnitudes of signed weights:
 *
 *     |w| ← |w|·exp(−a·c),   c = sign(w)·sign(g)   or   sign(w)·g
 *
 * Each magnitude is the weight of an expert whose cost is c; magnitudes are not normalized. Unlike
 * `exponentiatedGradient` (EG±) a weight is one positive number with a fixed sign, not the difference of two: it keeps
 * its sign for ever, and one that starts at 0 stays there, so `init` throws `INVALID_ARGUMENT` where all of a tensor's
 * weights are 0. For positive weights the cost `gradient` is the m⁺ half of EG±. State a weight: `weight`. It draws the
 * stored weights, and averages the gradients of several passes.
 */
export function multiplicativeWeights(options: MultiplicativeWeightsOptions = {}): Optimizer {
  const { learningRate, cost } = resolveOptions('multiplicativeWeights', multiplicativeWeightsOptionTable, options);

  return perWeightRule({
    name: 'multiplicativeWeights',
    vectors: ['weight'],
    startsFromScale: true,
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight) }),
    ...storedWeight,
    update(step) {
      const rate = learningRate(step);
      return (ops, { weight }, passes) => {
        const gradient = meanGradient(ops, passes);
        const costs = ops.multiply(ops.sign(weight), cost === 'sign' ? ops.sign(gradient) : gradient);
        return { weight: ops.multiply(weight, ops.exp(ops.multiply(costs, -rate))) };
      };
    },
  });
}
