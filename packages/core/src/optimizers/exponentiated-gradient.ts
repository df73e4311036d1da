import type { EagerOperations } from '../operations.js';
import { boolean, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, perWeightRule, type Vectors, type WeightPass } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `exponentiatedGradient`, declared once. */
export const exponentiatedGradientOptionTable = {
  /** Learning rate in log m±. A number or a schedule, at least 0; default 0.1. */
  learningRate: schedule({ atLeast: 0, default: 0.1, describe: 'Learning rate in log m±.' }),
  /** Whether the sum Σ (m⁺ + m⁻) of each tensor is kept at its initial value. True or false; default false. */
  normalize: boolean({
    default: false,
    describe: 'Whether the sum Σ (m⁺ + m⁻) of each tensor is kept at its initial value.',
  }),
  /**
   * c: the initial value of each half is at least c times the root mean square of the initial weights. Above 0; default
   * 0.5.
   */
  floor: number({
    above: 0,
    default: 0.5,
    describe: 'c: the initial value of each half is at least c times the root mean square of the initial weights.',
  }),
} as const satisfies OptionTable;

export interface ExponentiatedGradientOptions extends OptionsOf<typeof exponentiatedGradientOptionTable> {}

/**
 * Exponentiated gradient with positive and negative weights, EG± (Kivinen & Warmuth 1997, "Exponentiated gradient
 * versus gradient descent for linear predictors"):
 *
 *     m⁺ ← m⁺·exp(−a·g);   m⁻ ← m⁻·exp(a·g);   w = m⁺ − m⁻
 *
 * Without normalisation (their EGU on the doubled weights) m⁺·m⁻ never changes. With it, both halves are then
 * multiplied by U / Σ (m⁺ + m⁻), where U is the tensor's initial total, so that Σ |w| ≤ U for ever; their rate is a / U
 * in these terms. The halves start at max(±w₀, 0) + c·rms(w₀), as those of `lmd` do without noise: a choice of ours,
 * which sets U as well.
 *
 * Computed in logarithms. State a weight: `logPlus`, `logMinus` and, where normalised, the scalar `logTotal`. Nothing
 * is drawn, and gradients of several passes are averaged. `init` throws `INVALID_ARGUMENT` for a weight of zeros.
 */
export function exponentiatedGradient(options: ExponentiatedGradientOptions = {}): Optimizer {
  const name = 'exponentiatedGradient';
  const { learningRate, normalize, floor } = resolveOptions(name, exponentiatedGradientOptionTable, options);
  const difference = (ops: EagerOperations, { logPlus, logMinus }: Vectors<'logPlus' | 'logMinus'>) =>
    ops.subtract(ops.exp(logPlus), ops.exp(logMinus));

  function initialHalves(ops: EagerOperations, weight: Tensor, scale: number): Vectors<'logPlus' | 'logMinus'> {
    const half = (signed: Tensor) => ops.log(ops.add(ops.maximum(signed, 0), floor * scale));
    return { logPlus: half(weight), logMinus: half(ops.negate(weight)) };
  }

  /** Both halves after one step, before normalization. */
  function updateAt(step: number) {
    const rate = learningRate(step);
    return (
      ops: EagerOperations,
      { logPlus, logMinus }: Vectors<'logPlus' | 'logMinus'>,
      passes: readonly WeightPass[],
    ): Vectors<'logPlus' | 'logMinus'> => {
      const move = ops.multiply(meanGradient(ops, passes), rate);
      return { logPlus: ops.subtract(logPlus, move), logMinus: ops.add(logMinus, move) };
    };
  }

  const common = {
    name,
    startsFromScale: true,
    draw: difference,
    evaluate: difference,
    // A geometric mean: its total is at most U, and U again after the next step.
    positions: ['logPlus', 'logMinus'],
  } as const;
  if (!normalize) {
    return perWeightRule({
      ...common,
      vectors: ['logPlus', 'logMinus'],
      initial: initialHalves,
      update: updateAt,
    });
  }
  return perWeightRule({
    ...common,
    vectors: ['logPlus', 'logMinus', 'logTotal'],
    initial(ops, weight, scale) {
      const halves = initialHalves(ops, weight, scale);
      return { ...halves, logTotal: logTotalOf(ops, halves) };
    },
    update(step) {
      const update = updateAt(step);
      return (ops, { logTotal, ...halves }, passes) => {
        const next = update(ops, halves, passes);
        const shift = ops.subtract(logTotal, logTotalOf(ops, next));
        return {
          logPlus: ops.add(next.logPlus, shift),
          logMinus: ops.add(next.logMinus, shift),
          logTotal: freshHandle(ops, logTotal),
        };
      };
    },
  });
}

/** log Σ (m⁺ + m⁻), with the maximum subtracted first to prevent overflow. */
function logTotalOf(ops: EagerOperations, { logPlus, logMinus }: Vectors<'logPlus' | 'logMinus'>): Tensor {
  const largest = ops.maximum(ops.max(logPlus), ops.max(logMinus));
  const total = (half: Tensor) => ops.sum(ops.exp(ops.subtract(half, largest)));
  return ops.add(ops.log(ops.add(total(logPlus), total(logMinus))), largest);
}
