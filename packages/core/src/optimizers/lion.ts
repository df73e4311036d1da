import { number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { signMomentum } from './sign-momentum.js';

/** The options of `lion`, declared once. */
export const lionOptionTable = {
  /**
   * Learning rate: the magnitude of the step of every coordinate. A number or a schedule, at least 0; default 0.0001.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 1e-4,
    describe: 'Learning rate: the magnitude of the step of every coordinate.',
  }),
  /** β₁: weight of the momentum in the direction of the step. At least 0 and below 1; default 0.9. */
  beta1: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'β₁: weight of the momentum in the direction of the step.',
  }),
  /** β₂: decay rate of the momentum. At least 0 and below 1; default 0.99. */
  beta2: number({ atLeast: 0, below: 1, default: 0.99, describe: 'β₂: decay rate of the momentum.' }),
  /** Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay. At least 0; default 0. */
  weightDecay: number({
    atLeast: 0,
    default: 0,
    describe: 'Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay.',
  }),
} as const satisfies OptionTable;

export interface LionOptions extends OptionsOf<typeof lionOptionTable> {}

/**
 * Lion, evolved sign momentum (Chen et al., arXiv:2302.06675, algorithm 2):
 *
 *     w ← w − a·(sign(β₁·v + (1 − β₁)·g) + weightDecay·w);   v ← β₂·v + (1 − β₂)·g
 *
 * State a weight: `weight`, `momentum`. Additive: it draws the stored weights, and averages the gradients of several
 * passes. Its authors advise a learning rate 3 to 10 times smaller than AdamW's and a decay larger by as much. With
 * equal decay rates it is `signum`.
 */
export function lion(options: LionOptions = {}): Optimizer {
  return signMomentum('lion', resolveOptions('lion', lionOptionTable, options));
}
