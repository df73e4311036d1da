import type { EagerOperations } from '../operations.js';
import { boolean, integer, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, meanOver, movingAverage, perWeightRule } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `ivon`, declared once. */
export const ivonOptionTable = {
  /** λ: effective sample size, usually the number of training examples. Above 0; required. */
  effectiveSampleSize: number({
    above: 0,
    required: true,
    describe: 'λ: effective sample size, usually the number of training examples.',
  }),
  /** α: learning rate. A number or a schedule, at least 0; default 0.1. */
  learningRate: schedule({ atLeast: 0, default: 0.1, describe: 'α: learning rate.' }),
  /** β₁: decay rate of the moving average of the gradient. At least 0 and below 1; default 0.9. */
  beta1: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β₁: decay rate of the moving average of the gradient.',
  }),
  /** β₂: decay rate of the Hessian estimate. At least 0 and below 1; default 0.99999. */
  beta2: number({ atLeast: 0, below: 1, default: 0.99999, describe: 'β₂: decay rate of the Hessian estimate.' }),
  /** δ: weight decay, the precision of the prior divided by λ. Above 0; default 0.0001. */
  weightDecay: number({
    above: 0,
    default: 1e-4,
    describe: 'δ: weight decay, the precision of the prior divided by λ.',
  }),
  /** h₀: initial Hessian estimate. It determines the initial noise: σ² = 1/(λ·(h₀ + δ)). Above 0; default 1. */
  initialHessian: number({
    above: 0,
    default: 1,
    describe: 'h₀: initial Hessian estimate. It determines the initial noise: σ² = 1/(λ·(h₀ + δ)).',
  }),
  /**
   * Whether learning rates are multiplied by h₀ + δ, so that the first steps are α times the gradient. True or false;
   * default true.
   */
  rescaleLearningRate: boolean({
    default: true,
    describe: 'Whether learning rates are multiplied by h₀ + δ, so that the first steps are α times the gradient.',
  }),
  /**
   * Bound at which each coordinate of the preconditioned step is clipped, before the learning rate. Default: no
   * clipping. Above 0.
   */
  clipRadius: number({
    above: 0,
    describe:
      'Bound at which each coordinate of the preconditioned step is clipped, before the learning rate. Default: ' +
      'no clipping.',
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

export interface IvonOptions extends OptionsOf<typeof ivonOptionTable> {}

/**
 * IVON, the improved variational online Newton method (Shen et al. 2024, arXiv:2402.17641, algorithm 1): a normal
 * posterior of mean m and variance σ² = 1/(λ·(h + δ)), learned at about the cost of Adam.
 *
 *     w = m + σ·e,  e ~ N(0, 1);   ĝ = mean g;   ĥ = mean(g·e) / σ
 *     g̅ ← β₁·g̅ + (1 − β₁)·ĝ
 *     h ← β₂·h + (1 − β₂)·ĥ + ½·(1 − β₂)²·(h − ĥ)² / (h + δ)
 *     m ← m − α·(g̅ / (1 − β₁ᵗ) + δ·m) / (h + δ)
 *
 * ĥ estimates the Hessian's diagonal by reparameterisation (Stein's identity: E[g·e] / σ = E[∇²loss]). The last term of
 * h is the Riemannian correction, which keeps h + δ above 0 whatever ĥ is (arXiv:2002.10060). The gradient is that of
 * the mean loss an example.
 *
 * State a weight: `mean`, `gradientAverage`, `hessian`. `mean` and `median` weights are m, and a `sample` is one draw,
 * its noise keyed by (seed, stream of the weight's name, step, sample) and never stored.
 */
export function ivon(options: IvonOptions): Optimizer {
  const {
    effectiveSampleSize: sampleSize,
    learningRate,
    beta1,
    beta2,
    weightDecay,
    initialHessian,
    rescaleLearningRate: rescale,
    clipRadius,
    samples,
  } = resolveOptions('ivon', ivonOptionTable, options);

  /** 1/σ = √(λ·(h + δ)). */
  const inverseDeviation = (ops: EagerOperations, hessian: Tensor) =>
    ops.scope(() => ops.sqrt(ops.multiply(ops.add(hessian, weightDecay), sampleSize)));

  return perWeightRule({
    name: 'ivon',
    samples,
    vectors: ['mean', 'gradientAverage', 'hessian'],
    initial: (ops, weight) => ({
      mean: freshHandle(ops, weight),
      gradientAverage: ops.zeros(weight.shape),
      hessian: ops.full(weight.shape, initialHessian),
    }),
    draw: (ops, { mean, hessian }, key) =>
      ops.add(mean, ops.divide(ops.randomNormal(mean.shape, key()), inverseDeviation(ops, hessian))),
    evaluate: (ops, { mean }) => freshHandle(ops, mean),
    // The precision is λ·(h + δ), so workers that average have one posterior.
    positions: ['mean', 'hessian'],
    update(step) {
      const rate = learningRate(step) * (rescale ? initialHessian + weightDecay : 1);
      const correction = 1 - beta1 ** (step + 1);
      return (ops, { mean, gradientAverage, hessian }, passes) => {
        // Scopes, because of a large weight not many more vectors should be alive than these.
        const nextHessian = ops.scope(() => {
          const noiseTimesGradient = meanOver(ops, passes, ({ gradient, key }) =>
            ops.multiply(ops.randomNormal(mean.shape, key()), gradient),
          );
          const estimate = ops.multiply(noiseTimesGradient, inverseDeviation(ops, hessian));
          return correctedAverage(ops, hessian, estimate, beta2, weightDecay);
        });
        const nextAverage = movingAverage(ops, gradientAverage, meanGradient(ops, passes), beta1);
        const newtonStep = ops.scope(() => {
          const pull = ops.add(ops.multiply(nextAverage, 1 / correction), ops.multiply(mean, weightDecay));
          const step = ops.divide(pull, ops.add(nextHessian, weightDecay));
          return clipRadius === undefined ? step : ops.maximum(ops.minimum(step, clipRadius), -clipRadius);
        });
        return {
          mean: ops.subtract(mean, ops.multiply(newtonStep, rate)),
          gradientAverage: nextAverage,
          hessian: nextHessian,
        };
      };
    },
  });
}

/** The next h, as h + d + ½·d²/(h + δ) with d = (1 − β₂)·(ĥ − h), so that a β₂ near 1 loses no digits of h. */
function correctedAverage(
  ops: EagerOperations,
  hessian: Tensor,
  estimate: Tensor,
  beta2: number,
  weightDecay: number,
): Tensor {
  return ops.scope(() => {
    const change = ops.scope(() => ops.multiply(ops.subtract(estimate, hessian), 1 - beta2));
    const correction = ops.scope(() =>
      ops.divide(ops.multiply(ops.multiply(change, change), 0.5), ops.add(hessian, weightDecay)),
    );
    return ops.add(hessian, ops.add(change, correction));
  });
}
