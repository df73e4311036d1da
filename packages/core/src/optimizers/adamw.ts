import { LmdError } from '../errors.js';
import { boolean, choice, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { defaultsOf, resolveOptions } from '../options/resolve.js';
import { momentWithError } from './adamw-error-feedback.js';
import {
  type AdamwWeightFormat,
  adamwMomentFormats,
  adamwWeightFormats,
  storedMoment,
  storedWeights,
} from './adamw-formats.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, perWeightRule, storedWeight } from './per-weight-rule.js';

/** The options of `adamw`, declared once. */
export const adamwOptionTable = {
  /** Learning rate. A number or a schedule, at least 0; default 0.001. */
  learningRate: schedule({ atLeast: 0, default: 1e-3, describe: 'Learning rate.' }),
  /** β₁: decay rate of the moving average of the gradient. At least 0 and below 1; default 0.9. */
  beta1: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β₁: decay rate of the moving average of the gradient.',
  }),
  /** β₂: decay rate of the moving average of the squared gradient. At least 0 and below 1; default 0.999. */
  beta2: number({
    atLeast: 0,
    below: 1,
    default: 0.999,
    describe: 'β₂: decay rate of the moving average of the squared gradient.',
  }),
  /** ε: added to the denominator for numerical stability. Above 0; default 1e-8. */
  epsilon: number({ above: 0, default: 1e-8, describe: 'ε: added to the denominator for numerical stability.' }),
  /**
   * Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay. At least 0; default 0.01.
   */
  weightDecay: number({
    atLeast: 0,
    default: 0.01,
    describe: 'Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay.',
  }),
  /**
   * Format of the weights between steps. Each update is computed in f32, rounded, and held in an f32 tensor; there is
   * no f32 copy. `bf16`: BF16, rounded stochastically with noise determined by (seed, `<weight>/weight`, step), so that
   * a resumed run is bit-identical; 2 bytes per weight. `split24`: BF16 and 8 bits of its rounding error, rounded to
   * nearest (FlashOptim, arXiv:2602.23349); 3 bytes per weight. `f32`, `bf16` or `split24`; default `f32`.
   */
  weightFormat: choice(adamwWeightFormats, {
    default: 'f32',
    describe:
      'Format of the weights between steps. Each update is computed in f32, rounded, and held in an f32 tensor; there ' +
      'is no f32 copy. `bf16`: BF16, rounded stochastically with noise determined by (seed, `<weight>/weight`, ' +
      'step), so that a resumed run is bit-identical; 2 bytes per weight. `split24`: BF16 and 8 bits of its rounding ' +
      'error, rounded to nearest (FlashOptim, arXiv:2602.23349); 3 bytes per weight.',
  }),
  /**
   * Format of both moments between steps; the values are held in f32 tensors. `bf16`: BF16, rounded stochastically as
   * `weightFormat`; 4 bytes per weight. `companded8`: 8-bit codes in groups of 32 with an FP16 scale each, rounded to
   * nearest, with finer steps near 0 (FlashOptim, arXiv:2602.23349); 2.1 bytes per weight. `f32`, `bf16` or
   * `companded8`; default `f32`.
   */
  momentFormat: choice(adamwMomentFormats, {
    default: 'f32',
    describe:
      'Format of both moments between steps; the values are held in f32 tensors. `bf16`: BF16, rounded stochastically ' +
      'as `weightFormat`; 4 bytes per weight. `companded8`: 8-bit codes in groups of 32 with an FP16 scale each, ' +
      'rounded to nearest, with finer steps near 0 (FlashOptim, arXiv:2602.23349); 2.1 bytes per weight.',
  }),
  /**
   * Whether the rounding error of the weights is added to the first moment, so that later steps make up for it; the
   * weights are then rounded to nearest (ECO, arXiv:2601.22101). Requires another `weightFormat` than `f32`, and
   * `beta1` above 0. True or false; default false.
   */
  errorFeedback: boolean({
    default: false,
    describe:
      'Whether the rounding error of the weights is added to the first moment, so that later steps make up for it; ' +
      'the weights are then rounded to nearest (ECO, arXiv:2601.22101). Requires another `weightFormat` than `f32`, ' +
      'and `beta1` above 0.',
  }),
} as const satisfies OptionTable;

export interface AdamwOptions extends OptionsOf<typeof adamwOptionTable> {}

/** Defaults of `adamw`. */
export const adamwDefaults = defaultsOf(adamwOptionTable);

/**
 * AdamW: Adam with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101, algorithm 2; the decay is multiplied
 * by the learning rate, as PyTorch does):
 *
 *     w ← w·(1 − a·weightDecay)
 *     m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²
 *     w ← w − a·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + epsilon)
 *
 * State a weight: `weight`, `firstMoment`, `secondMoment`. Additive: it draws the stored weights, all kinds of
 * evaluation weights are the same, and given several passes it averages their gradients.
 *
 * `weightFormat: 'bf16'` trains BF16 weights with stochastic rounding and no f32 copy (Ozkara, Yu & Park,
 * arXiv:2502.20566); `init` rounds to nearest. `momentFormat: 'bf16'` rounds the moments stochastically, too: rounding
 * the second moment to nearest would lose changes by less than 0.2 %, such as with β₂ = 0.999. Both need the keys of
 * their passes.
 *
 * `momentFormat: 'companded8'` rounds the moments to the 8-bit codes of FlashOptim (Gonzalez Ortiz, Gupta, Renard &
 * Blalock, arXiv:2602.23349, algorithms 2 and 3): groups of 32 consecutive elements in row-major order, scales in FP16,
 * rounding to nearest. Read were the authors' code and summaries of the paper. As in that code, a group whose largest
 * |m| or √v is below 2^-25 becomes 0, and one above 65504 is not finite. Ties go to the even code; there they go up.
 *
 * `weightFormat: 'split24'` is the weight split of FlashOptim (algorithm 1): a BF16 number θ' and an 8-bit integer ρ,
 * the rounding error in 127ths of half a unit in the last place of θ'. Forward passes see the 24-bit weight; in
 * FlashOptim they see θ'.
 *
 * `errorFeedback` adds the rounding error of the weights to the first moment (ECO, Nikdan, Zandieh, Alistarh &
 * Mirrokni, arXiv:2601.22101). The paper's abstract and summaries were read, and the factor is derived in
 * `momentWithError`; the moments are rounded to their format after that. A step with learning rate 0 adds nothing.
 *
 * What is stored are numbers of these formats, which a checkpoint or device could hold in the bytes that the options
 * say, beside 12 for f32. The backends have no tensors of these types, so here they are f32 tensors.
 *
 * @throws LmdError `INVALID_ARGUMENT` for `errorFeedback` with f32 weights or with `beta1` 0.
 */
export function adamw(options: AdamwOptions = {}): Optimizer {
  const resolved = resolveOptions('adamw', adamwOptionTable, options);
  const { learningRate, weightFormat, momentFormat, errorFeedback, ...rest } = resolved;
  if (errorFeedback) checkErrorFeedback(weightFormat, rest.beta1);

  return perWeightRule({
    name: 'adamw',
    vectors: ['weight', 'firstMoment', 'secondMoment'],
    initial: (ops, weight) => ({
      weight: storedWeights(ops, weight, weightFormat),
      firstMoment: ops.zeros(weight.shape),
      secondMoment: ops.zeros(weight.shape),
    }),
    ...storedWeight,
    // A mean of BF16 numbers is none. Rounded to nearest, it would lose the steps that stochastic rounding keeps.
    positions: weightFormat === 'bf16' ? undefined : storedWeight.positions,
    update(step) {
      const update = { learningRate: learningRate(step), ...rest, step: step + 1 };
      return (ops, { weight: weights, firstMoment, secondMoment }, passes) => {
        const key = (vector: string) => () => ({ ...passes[0]!.key(vector), step, sample: 0 });
        const updated = ops.adamwUpdate({ weights, firstMoment, secondMoment }, meanGradient(ops, passes), update);
        const weight = storedWeights(ops, updated.weights, weightFormat, errorFeedback ? undefined : key('weight'));
        const moment = errorFeedback ? momentWithError(ops, updated, weight, update) : updated.firstMoment;
        return {
          weight,
          firstMoment: storedMoment(ops, 'firstMoment', moment, momentFormat, key('firstMoment')),
          secondMoment: storedMoment(ops, 'secondMoment', updated.secondMoment, momentFormat, key('secondMoment')),
        };
      };
    },
  });
}

function checkErrorFeedback(weightFormat: AdamwWeightFormat, beta1: number): void {
  if (weightFormat === 'f32') {
    throw new LmdError('INVALID_ARGUMENT', 'adamw: errorFeedback is true but weightFormat is "f32".', {
      subject: 'errorFeedback',
      value: true,
      remedy:
        'f32 weights have no rounding error to feed back: use weightFormat "bf16" or "split24", or leave ' +
        'errorFeedback out.',
    });
  }
  if (beta1 === 0) {
    throw new LmdError('INVALID_ARGUMENT', 'adamw: errorFeedback is true but beta1 is 0.', {
      subject: 'errorFeedback',
      value: true,
      remedy: 'The first moment must reach the next step: use a beta1 above 0, such as 0.9.',
    });
  }
}
