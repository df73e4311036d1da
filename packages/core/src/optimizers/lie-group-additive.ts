import { integer, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, movingAverage, perWeightRule } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `lieGroupAdditive`, declared once. */
export const lieGroupAdditiveOptionTable = {
  /** a: learning rate. A number or a schedule, at least 0; default 0.05. */
  learningRate: schedule({ atLeast: 0, default: 0.05, describe: 'a: learning rate.' }),
  /** β: decay rate of the moving average of the gradient. At least 0 and below 1; default 0.9. */
  momentum: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β: decay rate of the moving average of the gradient.',
  }),
  /**
   * σ: standard deviation of a sampled weight around its location; with 0, samples equal the location. At least 0;
   * default 0.001.
   */
  noise: number({
    atLeast: 0,
    default: 1e-3,
    describe: 'σ: standard deviation of a sampled weight around its location; with 0, samples equal the location.',
  }),
  /**
   * S: number of posterior samples per step; each takes one forward and one backward pass. A whole number, at least 1;
   * default 1.
   */
  samples: integer({
    atLeast: 1,
    default: 1,
    describe: 'S: number of posterior samples per step; each takes one forward and one backward pass.',
  }),
} as const satisfies OptionTable;

export interface LieGroupAdditiveOptions extends OptionsOf<typeof lieGroupAdditiveOptionTable> {}

/**
 * The Lie-group Bayesian learning rule of the additive group (Kıral, Möllenhoff & Khan,
 * arXiv:2303.04397, algorithm 1 of appendix A.3 as their code numbers it): the posterior is a
 * fixed law moved about, here a normal law.
 *
 *     w = b + σ·e,  e ~ N(0, 1);   M ← β·M + (1 − β)·mean g;   b ← b − a·M
 *
 * A law that is only moved keeps its entropy, so the temperature shows in σ alone, and at σ = 0 this is SGD with
 * momentum β and learning rate a·(1 − β). The normal law and the defaults are choices of ours. State a weight:
 * `location`, `momentum`. `mean` and `median` weights are b, and a `sample` is one draw.
 */
export function lieGroupAdditive(options: LieGroupAdditiveOptions = {}): Optimizer {
  const name = 'lieGroupAdditive';
  const { learningRate, momentum: beta, noise, samples } = resolveOptions(name, lieGroupAdditiveOptionTable, options);

  return perWeightRule({
    name,
    samples,
    vectors: ['location', 'momentum'],
    initial: (ops, weight) => ({ location: freshHandle(ops, weight), momentum: ops.zeros(weight.shape) }),
    draw: (ops, { location }, key) => {
      if (noise === 0) return freshHandle(ops, location);
      return ops.add(location, ops.multiply(ops.randomNormal(location.shape, key()), noise));
    },
    evaluate: (ops, { location }) => freshHandle(ops, location),
    positions: ['location'],
    update(step) {
      const rate = learningRate(step);
      return (ops, { location, momentum }, passes) => {
        // The update needs no noise again, but gradients found at no draw are a mistake, as in the other rules that
        // draw.
        if (noise > 0) for (const { key } of passes) key();
        const next = movingAverage(ops, momentum, meanGradient(ops, passes), beta);
        return { location: ops.subtract(location, ops.multiply(next, rate)), momentum: next };
      };
    },
  });
}
