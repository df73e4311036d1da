import { number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { signMomentum } from './sign-momentum.js';

/** The options of `signum`, declared once. */
export const signumOptionTable = {
  /**
   * Learning rate: the magnitude of the step of every coordinate. A number or a schedule, at least 0; default 0.0001.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 1e-4,
    describe: 'Learning rate: the magnitude of the step of every coordinate.',
  }),
  /**
   * β: decay rate of the momentum, whose sign is the direction of the step; with 0, signSGD. At least 0 and below 1;
   * default 0.9.
   */
  momentum: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β: decay rate of the momentum, whose sign is the direction of the step; with 0, signSGD.',
  }),
  /** Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay. At least 0; default 0. */
  weightDecay: number({
    atLeast: 0,
    default: 0,
    describe: 'Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay.',
  }),
} as const satisfies OptionTable;

export interface SignumOptions extends OptionsOf<typeof signumOptionTable> {}

/**
 * Signum, the sign of momentum (Bernstein, Wang, Azizzadenesheli & Anandkumar, arXiv:1802.04434, algorithm 2):
 *
 *     v ← β·v + (1 − β)·g;   w ← w − a·(sign(v) + weightDecay·w)
 *
 * It is `lion` with β₁ = β₂ = β, to the bit. State a weight: `weight`, `momentum`. Additive: it draws the stored
 * weights, and averages the gradients of several passes.
 */
export function signum(options: SignumOptions = {}): Optimizer {
  const { momentum, ...resolved } = resolveOptions('signum', signumOptionTable, options);
  return signMomentum('signum', { ...resolved, beta1: momentum, beta2: momentum });
}
