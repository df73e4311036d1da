import { describe, expect, it } from 'vitest';
import { lion, type SignumOptions, signum } from '../index.js';
import { expectClose, follow, trial } from './test-support.js';

describe('signum', () => {
  it.each<[string, SignumOptions, Required<SignumOptions>]>([
    ['the defaults', {}, { learningRate: 1e-4, momentum: 0.9, weightDecay: 0 }],
    ...[{ learningRate: 0.03, momentum: 0.6, weightDecay: 0.4 }].map(
      (options) => ['large steps with decay', options, options] as [string, SignumOptions, Required<SignumOptions>],
    ),
  ])('follows algorithm 2 of the paper: %s', async (_, given, options) => {
    const { initial, gradients } = trial();
    const weight = [...initial];
    const momentum = initial.map(() => 0);
    const rate = options.learningRate as number;
    for (const gradient of gradients) {
      for (const [i, g] of gradient.entries()) {
        momentum[i] = options.momentum * momentum[i]! + (1 - options.momentum) * g;
        weight[i]! -= rate * (Math.sign(momentum[i]!) + options.weightDecay * weight[i]!);
      }
    }
    const end = await follow(signum(given), initial, gradients);
    expectClose(end.weight!, weight, 1e-5, 1e-6);
    expectClose(end.momentum!, momentum, 1e-4, 1e-7);
  });

  it('is lion with equal betas, to the bit, and not with others', async () => {
    const { initial, gradients } = trial();
    const options = { learningRate: 0.01, weightDecay: 0.1 };
    const end = await follow(signum({ ...options, momentum: 0.8 }), initial, gradients);
    expect(await follow(lion({ ...options, beta1: 0.8, beta2: 0.8 }), initial, gradients)).toEqual(end);
    expect(await follow(lion({ ...options, beta1: 0.8, beta2: 0.99 }), initial, gradients)).not.toEqual(end);
  });

  it.each<[string, unknown, RegExp]>([
    ['an option of lion', { beta1: 0.9 }, /signum has no option "beta1"/],
    ['momentum = 1', { momentum: 1 }, /signum: momentum is 1/],
    ['negative decay', { weightDecay: -1 }, /signum: weightDecay is -1/],
  ])('refuses %s', (_, options, message) => {
    expect(() => signum(options as never)).toThrow(message);
  });
});
