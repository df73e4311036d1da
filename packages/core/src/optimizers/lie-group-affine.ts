import type { EagerOperations } from '../operations.js';
import { integer, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, meanOver, movingAverage, perWeightRule } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `lieGroupAffine`, declared once. */
export const lieGroupAffineOptionTable = {
  /**
   * a₁: learning rate of the location b, in units of the scale A; with a constant gradient g, b moves by a₁·A²·g per
   * step. A number or a schedule, at least 0; default 10.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 10,
    describe:
      'a₁: learning rate of the location b, in units of the scale A; with a constant gradient g, b moves by ' +
      'a₁·A²·g per step.',
  }),
  /** a₂: learning rate of log A. Default: `learningRate`. A number or a schedule, at least 0. */
  scaleLearningRate: schedule({
    atLeast: 0,
    describe: 'a₂: learning rate of log A. Default: `learningRate`.',
  }),
  /** β: decay rate of the moving averages of the gradients. At least 0 and below 1; default 0.9. */
  momentum: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β: decay rate of the moving averages of the gradients.',
  }),
  /**
   * T: temperature, the weight of the entropy relative to the loss. With a loss of curvature h, A² converges to T/h. At
   * least 0; default 0.001.
   */
  temperature: number({
    atLeast: 0,
    default: 1e-3,
    describe:
      'T: temperature, the weight of the entropy relative to the loss. With a loss of curvature h, A² converges ' +
      'to T/h.',
  }),
  /** Initial scale A of every weight. Above 0; default 0.03. */
  initialScale: number({ above: 0, default: 0.03, describe: 'Initial scale A of every weight.' }),
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

export interface LieGroupAffineOptions extends OptionsOf<typeof lieGroupAffineOptionTable> {}

/**
 * The Lie-group Bayesian learning rule of the affine group (Kıral, Möllenhoff & Khan,
 * arXiv:2303.04397, algorithm 3 of appendix A.5 as their code numbers it), one scale and location a
 * weight: a normal posterior whose mean and deviation are both learned.
 *
 *     w = b + A·e,  e ~ N(0, 1);   U = mean(A·e·g);   V = mean(A·g)
 *     MU ← β·MU + (1 − β)·(U − T);   MV ← β·MV + (1 − β)·V
 *     b ← b + A·MV·(exp(−a₁·MU) − 1) / MU;   A ← A·exp(−a₂·MU)
 *
 * The location's step follows the group's exponential, and is −a₁·A·MV where MU is 0. Choices of ours: the normal law,
 * one momentum β for both averages, one initial scale for all weights (so that biases that start at 0 have one), the
 * defaults. Small temperatures want large rates: without gradients log A grows by no more than a₂·T a step.
 *
 * State a weight: `location`, `logScale`, `momentumLocation`, `momentumScale`. `mean` and `median` weights are b, and a
 * `sample` is one draw.
 */
export function lieGroupAffine(options: LieGroupAffineOptions = {}): Optimizer {
  const name = 'lieGroupAffine';
  const {
    learningRate,
    scaleLearningRate = learningRate,
    momentum: beta,
    temperature,
    initialScale,
    samples,
  } = resolveOptions(name, lieGroupAffineOptionTable, options);

  return perWeightRule({
    name,
    samples,
    vectors: ['location', 'logScale', 'momentumLocation', 'momentumScale'],
    initial: (ops, weight) => ({
      location: freshHandle(ops, weight),
      logScale: ops.full(weight.shape, Math.log(initialScale)),
      momentumLocation: ops.zeros(weight.shape),
      momentumScale: ops.zeros(weight.shape),
    }),
    draw: (ops, { location, logScale }, key) =>
      ops.add(location, ops.multiply(ops.exp(logScale), ops.randomNormal(location.shape, key()))),
    evaluate: (ops, { location }) => freshHandle(ops, location),
    positions: ['location', 'logScale'],
    update(step) {
      const locationRate = learningRate(step);
      const scaleRate = scaleLearningRate(step);
      return (ops, { location, logScale, momentumLocation, momentumScale }, passes) => {
        const scale = ops.exp(logScale);
        // Scopes, because of a large weight not many more vectors should be alive than these.
        const ofScale = ops.scope(() => {
          const noiseTimesGradient = meanOver(ops, passes, ({ gradient, key }) =>
            ops.multiply(ops.randomNormal(location.shape, key()), gradient),
          );
          const pull = ops.subtract(ops.multiply(scale, noiseTimesGradient), temperature);
          return movingAverage(ops, momentumScale, pull, beta);
        });
        const ofLocation = ops.scope(() =>
          movingAverage(ops, momentumLocation, ops.multiply(scale, meanGradient(ops, passes)), beta),
        );
        const move = ops.scope(() => {
          const decay = meanDecay(ops, ops.multiply(ofScale, locationRate));
          return ops.multiply(ops.multiply(ops.multiply(scale, ofLocation), decay), locationRate);
        });
        return {
          location: ops.subtract(location, move),
          logScale: ops.subtract(logScale, ops.multiply(ofScale, scaleRate)),
          momentumLocation: ofLocation,
          momentumScale: ofScale,
        };
      };
    },
  });
}

/** (1 − e⁻ˣ) / x, the mean of e⁻ˢ for s from 0 to x. Near 0, where the difference cancels, by its series. */
export function meanDecay(ops: EagerOperations, x: Tensor): Tensor {
  return ops.scope(() => {
    const near = ops.scope(() => ops.less(ops.absolute(x), 0.05));
    const series = ops.scope(() => {
      const [first, ...rest] = [-1 / 24, 1 / 6, -1 / 2, 1] as const;
      let sum: Tensor = ops.full([], first);
      for (const coefficient of rest) sum = ops.add(ops.multiply(sum, x), coefficient);
      return sum;
    });
    const quotient = ops.scope(() => ops.divide(ops.subtract(1, ops.exp(ops.negate(x))), x));
    return ops.where(near, series, quotient);
  });
}
