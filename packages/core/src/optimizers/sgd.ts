import { LmdError } from '../errors.js';
import type { Optimizer, Schedule } from './optimizer.js';
import { booleanOption, checkOptionNames, learningRateOption, numberOption } from './options.js';
import { meanGradient, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

export interface SgdOptions {
  /** Step size, a number or a schedule. At least 0; default 0.01. */
  readonly learningRate?: number | Schedule;
  /** μ: how much of the velocity each step keeps, in [0, 1). Default 0.9; with 0 the velocity is the gradient. */
  readonly momentum?: number;
  /** Nesterov's look-ahead; needs momentum. Default false. */
  readonly nesterov?: boolean;
  /** Decoupled decay: each step takes learningRate·weightDecay of the weight, outside the velocity. At least 0; default 0. */
  readonly weightDecay?: number;
}

const optionNames = [
  'learningRate',
  'momentum',
  'nesterov',
  'weightDecay',
] as const satisfies readonly (keyof SgdOptions)[];

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013, "On the importance of initialization and momentum in deep
 * learning"), in the form that PyTorch and others use, without dampening: the gradient enters the velocity whole.
 *
 *     v ← μ·v + g
 *     w ← w·(1 − a·weightDecay) − a·v            (Nesterov: a·(g + μ·v) with the new v)
 *
 * The decay is decoupled (arXiv:1711.05101, algorithm 1, multiplied by the learning rate), not added to the gradient as L2
 * regularization is. State a weight: `weight`, `velocity`. Additive: it draws the stored weights, and averages the gradients of
 * several passes.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  checkOptionNames('sgd', options, optionNames);
  const learningRate = learningRateOption('sgd', options.learningRate, 0.01);
  const momentum = numberOption('sgd', 'momentum', options.momentum, 0.9, { atLeast: 0, below: 1 });
  const nesterov = booleanOption('sgd', 'nesterov', options.nesterov, false);
  const weightDecay = numberOption('sgd', 'weightDecay', options.weightDecay, 0, { atLeast: 0 });
  if (nesterov && momentum === 0) {
    throw new LmdError('INVALID_ARGUMENT', 'sgd: nesterov is true but momentum is 0.', {
      subject: 'nesterov',
      value: nesterov,
      remedy: 'Give a momentum above 0, such as 0.9, or leave nesterov out.',
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
