import { number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, movingAverage, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `madam`, declared once. */
export const madamOptionTable = {
  /**
   * Learning rate in log |w|: with 0.01, a typical weight changes by 1 % per step. A number or a schedule, at least 0;
   * default 0.01.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 0.01,
    describe: 'Learning rate in log |w|: with 0.01, a typical weight changes by 1 % per step.',
  }),
  /** β: decay rate of the moving average of the squared gradient. At least 0 and below 1; default 0.999. */
  beta: number({
    atLeast: 0,
    below: 1,
    default: 0.999,
    describe: 'β: decay rate of the moving average of the squared gradient.',
  }),
  /**
   * Bound at which the normalized gradient is clipped; a step of log |w| is at most learningRate·gradientBound. Above
   * 0; default 10.
   */
  gradientBound: number({
    above: 0,
    default: 10,
    describe:
      'Bound at which the normalized gradient is clipped; a step of log |w| is at most learningRate·gradientBound.',
  }),
  /** p: |w| is clipped at p times the root mean square of the initial weights. Above 0; default 3. */
  weightBound: number({
    above: 0,
    default: 3,
    describe: 'p: |w| is clipped at p times the root mean square of the initial weights.',
  }),
} as const satisfies OptionTable;

export interface MadamOptions extends OptionsOf<typeof madamOptionTable> {}

/**
 * Madam, a multiplicative Adam (Bernstein et al., arXiv:2006.14560, algorithm 1):
 *
 *     V ← β·V + (1 − β)·g²;   V̂ = V / (1 − βᵗ)
 *     w ← w·exp(−a·sign(w)·clip(g / √V̂, ±gradientBound))
 *     w ← clip(w, ±p·rms(w at the start))
 *
 * A weight keeps its sign for ever, and one that starts at 0 stays there: `init` throws `INVALID_ARGUMENT` where all of
 * a tensor's weights are 0. A coordinate that never had a gradient does not move. State a weight: `weight`,
 * `secondMoment`, and the scalar `bound`. It draws the stored weights, and averages the gradients of several passes.
 */
export function madam(options: MadamOptions = {}): Optimizer {
  const { learningRate, beta, gradientBound, weightBound } = resolveOptions('madam', madamOptionTable, options);

  return perWeightRule({
    name: 'madam',
    vectors: ['weight', 'secondMoment', 'bound'],
    startsFromScale: true,
    initial: (ops, weight, scale) => ({
      weight: freshHandle(ops, weight),
      secondMoment: ops.zeros(weight.shape),
      bound: ops.full([], weightBound * scale),
    }),
    ...storedWeight,
    update(step) {
      const rate = learningRate(step);
      const correction = 1 - beta ** (step + 1);
      return (ops, { weight, secondMoment, bound }, passes) => {
        const gradient = meanGradient(ops, passes);
        const square = ops.multiply(gradient, gradient);
        const next = movingAverage(ops, secondMoment, square, beta);
        // Scopes, because of a large weight not many more vectors should be alive than these.
        const clipped = ops.scope(() => {
          const deviation = ops.sqrt(ops.multiply(next, 1 / correction));
          // 0 / 0 is no step. Asked so, a NaN gradient is not equal to 0 and shows in the weight.
          const normalized = ops.where(ops.equal(deviation, 0), 0, ops.divide(gradient, deviation));
          return ops.maximum(ops.minimum(normalized, gradientBound), -gradientBound);
        });
        const moved = ops.scope(() =>
          ops.multiply(weight, ops.exp(ops.multiply(ops.multiply(ops.sign(weight), clipped), -rate))),
        );
        return {
          weight: ops.maximum(ops.minimum(moved, bound), ops.negate(bound)),
          secondMoment: next,
          bound: freshHandle(ops, bound),
        };
      };
    },
  });
}
