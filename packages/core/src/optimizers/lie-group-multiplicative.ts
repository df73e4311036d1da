import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { integer, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { meanOver, movingAverage, perWeightRule } from './per-weight-rule.js';

/** The options of `lieGroupMultiplicative`, declared once. */
export const lieGroupMultiplicativeOptionTable = {
  /** a: learning rate in log g±. A number or a schedule, at least 0; default 1. */
  learningRate: schedule({ atLeast: 0, default: 1, describe: 'a: learning rate in log g±.' }),
  /** β: decay rate of the moving averages of the gradients. At least 0 and below 1; default 0.9. */
  momentum: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β: decay rate of the moving averages of the gradients.',
  }),
  /**
   * T: temperature, the weight of the entropy relative to the loss; each step adds up to a·T to log g±. At least 0;
   * default 0.0001.
   */
  temperature: number({
    atLeast: 0,
    default: 1e-4,
    describe: 'T: temperature, the weight of the entropy relative to the loss; each step adds up to a·T to log g±.',
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
  /**
   * c: the initial mean of each half is at least c times the root mean square of the initial weights. Above 0; default
   * 0.5.
   */
  floor: number({
    above: 0,
    default: 0.5,
    describe: 'c: the initial mean of each half is at least c times the root mean square of the initial weights.',
  }),
} as const satisfies OptionTable;

export interface LieGroupMultiplicativeOptions extends OptionsOf<typeof lieGroupMultiplicativeOptionTable> {}

/** Mean and median of the standard Rayleigh law. */
const rayleighMean = Math.sqrt(Math.PI / 2);
const rayleighMedian = Math.sqrt(2 * Math.LN2);

/**
 * The Lie-group Bayesian learning rule of the multiplicative group (Kıral, Möllenhoff & Khan,
 * arXiv:2303.04397, algorithm 2 of appendix A.4 as their code numbers it), the parent of
 * `lmd`: each weight is the difference of two positive ones, whose posterior is a Rayleigh law scaled by g±.
 *
 *     θ± = g±·ρ±,  ρ± ~ Rayleigh(1);   w = θ⁺ − θ⁻
 *     M± ← β·M± + (1 − β)·(mean of ±θ±·grad − T);   g± ← g±·exp(−a·M±)
 *
 * The entropy of a law scaled by g grows as log g, hence the constant −T. The noise is not small: a half deviates by 52
 * % of its mean. Choices of ours: the two halves share nothing but the gradient; g± starts at (max(±w₀, 0) + c·rms(w₀))
 * / √(π/2), so that the mean weight is w₀; the defaults.
 *
 * State a weight: `logPlus`, `logMinus` (log g±), `momentumPlus`, `momentumMinus`. `mean` weights are √(π/2)·(g⁺ − g⁻),
 * `median` √(2·ln 2)·(g⁺ − g⁻), the difference of the halves' medians, and a `sample` is one draw. ρ = √(−2·log(1 − u))
 * with u the uniforms of (seed, stream of the weight's name, step, sample) for θ⁺, and of the stream's complement for
 * θ⁻. `init` throws `INVALID_ARGUMENT` for a weight of zeros.
 */
export function lieGroupMultiplicative(options: LieGroupMultiplicativeOptions = {}): Optimizer {
  const name = 'lieGroupMultiplicative';
  const {
    learningRate,
    momentum: beta,
    temperature,
    samples,
    floor,
  } = resolveOptions(name, lieGroupMultiplicativeOptionTable, options);

  return perWeightRule({
    name,
    samples,
    vectors: ['logPlus', 'logMinus', 'momentumPlus', 'momentumMinus'],
    startsFromScale: true,
    positions: ['logPlus', 'logMinus'],
    initial(ops, weight, scale) {
      const half = (signed: Tensor) =>
        ops.subtract(ops.log(ops.add(ops.maximum(signed, 0), floor * scale)), Math.log(rayleighMean));
      return {
        logPlus: half(weight),
        logMinus: half(ops.negate(weight)),
        momentumPlus: ops.zeros(weight.shape),
        momentumMinus: ops.zeros(weight.shape),
      };
    },
    draw: (ops, { logPlus, logMinus }, key) =>
      ops.subtract(drawHalf(ops, logPlus, key()), drawHalf(ops, logMinus, negativeKey(key()))),
    evaluate(ops, { logPlus, logMinus }, kind) {
      const factor = kind === 'mean' ? rayleighMean : rayleighMedian;
      return ops.multiply(ops.subtract(ops.exp(logPlus), ops.exp(logMinus)), factor);
    },
    update(step) {
      const rate = learningRate(step);
      return (ops, { logPlus, logMinus, momentumPlus, momentumMinus }, passes) => {
        const pullPlus = meanOver(ops, passes, ({ gradient, key }) =>
          ops.multiply(drawHalf(ops, logPlus, key()), gradient),
        );
        const pullMinus = meanOver(ops, passes, ({ gradient, key }) =>
          ops.negate(ops.multiply(drawHalf(ops, logMinus, negativeKey(key())), gradient)),
        );
        const plus = movingAverage(ops, momentumPlus, ops.subtract(pullPlus, temperature), beta);
        const minus = movingAverage(ops, momentumMinus, ops.subtract(pullMinus, temperature), beta);
        return {
          logPlus: ops.subtract(logPlus, ops.multiply(plus, rate)),
          logMinus: ops.subtract(logMinus, ops.multiply(minus, rate)),
          momentumPlus: plus,
          momentumMinus: minus,
        };
      };
    },
  });
}

/** θ = g·ρ. Uniforms are below 1, so the logarithm is finite; they can be 0, where the half is drawn as 0. */
function drawHalf(ops: EagerOperations, logScale: Tensor, key: RandomKey): Tensor {
  return ops.scope(() => {
    const noise = ops.scope(() => {
      const survival = ops.subtract(1, ops.randomUniform(logScale.shape, key));
      return ops.sqrt(ops.multiply(ops.log(survival), -2));
    });
    return ops.multiply(ops.exp(logScale), noise);
  });
}

function negativeKey(key: RandomKey): RandomKey {
  return { ...key, stream: ~key.stream >>> 0 };
}
