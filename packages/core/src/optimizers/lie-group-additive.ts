import type { Optimizer, Schedule } from './optimizer.js';
import { checkOptionNames, learningRateOption, numberOption } from './options.js';
import { meanGradient, movingAverage, perWeightRule } from './per-weight-rule.js';
import { freshHandle } from './state.js';

export interface LieGroupAdditiveOptions {
  /** a: step size, a number or a schedule. At least 0; default 0.05. */
  readonly learningRate?: number | Schedule;
  /** β: decay of the average of gradients, in [0, 1). Default 0.9. */
  readonly momentum?: number;
  /** σ: standard deviation of a drawn weight around its location. At least 0, where 0 draws the location; default 1e-3. */
  readonly noise?: number;
  /** S: draws, and so passes, a step. At least 1; default 1. */
  readonly samples?: number;
}

const optionNames = [
  'learningRate',
  'momentum',
  'noise',
  'samples',
] as const satisfies readonly (keyof LieGroupAdditiveOptions)[];

/**
 * The Lie-group Bayesian learning rule of the additive group (Kıral, Möllenhoff & Khan,
 * arXiv:2303.04397, algorithm 1 of appendix A.3 as their code numbers it): the posterior is a
 * fixed law moved about, here a normal law.
 *
 *     w = b + σ·e,  e ~ N(0, 1);   M ← β·M + (1 − β)·mean g;   b ← b − a·M
 *
 * A law that is only moved keeps its entropy, so the temperature shows in σ alone, and at σ = 0 this is SGD with momentum β and
 * learning rate a·(1 − β). The normal law and the defaults are choices of ours. State a weight: `location`, `momentum`. `mean`
 * and `median` weights are b, and a `sample` is one draw.
 */
export function lieGroupAdditive(options: LieGroupAdditiveOptions = {}): Optimizer {
  const name = 'lieGroupAdditive';
  checkOptionNames(name, options, optionNames);
  const learningRate = learningRateOption(name, options.learningRate, 0.05);
  const beta = numberOption(name, 'momentum', options.momentum, 0.9, { atLeast: 0, below: 1 });
  const noise = numberOption(name, 'noise', options.noise, 1e-3, { atLeast: 0 });
  const samples = numberOption(name, 'samples', options.samples, 1, { atLeast: 1, integer: true });

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
    update(step) {
      const rate = learningRate(step);
      return (ops, { location, momentum }, passes) => {
        // The update needs no noise again, but gradients found at no draw are a mistake, as in the other rules that draw.
        if (noise > 0) for (const { key } of passes) key();
        const next = movingAverage(ops, momentum, meanGradient(ops, passes), beta);
        return { location: ops.subtract(location, ops.multiply(next, rate)), momentum: next };
      };
    },
  });
}
