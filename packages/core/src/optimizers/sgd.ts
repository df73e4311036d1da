import { LmdError } from '../errors.js';
import { boolean, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Optimizer } from './optimizer.js';
import { meanGradient, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `sgd`, declared once. */
export const sgdOptionTable = {
  /** Learning rate. A number or a schedule, at least 0; default 0.01. */
  learningRate: schedule({ atLeast: 0, default: 0.01, describe: 'Learning rate.' }),
  /**
   * μ: momentum, the fraction of the velocity that each step keeps; 0 is SGD without momentum. At least 0 and below 1;
   * default 0.9.
   */
  momentum: number({
    atLeast: 0,
    below: 1,
    default: 0.9,
    describe: 'μ: momentum, the fraction of the velocity that each step keeps; 0 is SGD without momentum.',
  }),
  /** Whether to use Nesterov momentum; requires `momentum` above 0. True or false; default false. */
  nesterov: boolean({ default: false, describe: 'Whether to use Nesterov momentum; requires `momentum` above 0.' }),
  /**
   * Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay and does not change the
   * velocity. At least 0; default 0.
   */
  weightDecay: number({
    atLeast: 0,
    default: 0,
    describe:
      'Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay and does not ' +
      'change the velocity.',
  }),
} as const satisfies OptionTable;

export interface SgdOptions extends OptionsOf<typeof sgdOptionTable> {}

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013, "On the importance of initialization and momentum
 * in deep learning"), in the form that PyTorch and others use, without dampening: the gradient enters the velocity
 * whole.
 *
 *     v ← μ·v + g
 *     w ← w·(1 − a·weightDecay) − a·v            (Nesterov: a·(g + μ·v) with the new v)
 *
 * The decay is decoupled (arXiv:1711.05101, algorithm 1, multiplied by the learning rate), not added to the gradient as
 * L2 regularization is. State a weight: `weight`, `velocity`. Additive: it draws the stored weights, and averages the
 * gradients of several passes.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { learningRate, momentum, nesterov, weightDecay } = resolveOptions('sgd', sgdOptionTable, options);
  if (nesterov && momentum === 0) {
    throw new LmdError('INVALID_ARGUMENT', 'sgd: nesterov is true but momentum is 0.', {
      subject: 'nesterov',
      value: nesterov,
      remedy: 'Use a momentum above 0, such as 0.9, or leave nesterov out.',
    });
  }

  return perWeightRule({
    name: 'sgd',
    vectors: ['weight', 'velocity'],
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight), velocity: ops.zeros(weight.shape) }),
    ...storedWeight,
    update(step) {
      const rate = learningRate(step);
      return (ops, { weight, velocity }, passes) => {
        const gradient = meanGradient(ops, passes);
        const next = ops.add(ops.multiply(velocity, momentum), gradient);
        const direction = nesterov ? ops.add(gradient, ops.multiply(next, momentum)) : next;
        return {
          weight: ops.subtract(ops.multiply(weight, 1 - rate * weightDecay), ops.multiply(direction, rate)),
          velocity: next,
        };
      };
    },
  });
}
