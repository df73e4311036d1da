import { describe, expect, it } from 'vitest';
import { type LionOptions, lion } from '../index.js';
import { expectClose, follow, trial } from './test-support.js';

describe('lion', () => {
  it.each<[string, LionOptions, Required<LionOptions>]>([
    ['the defaults', {}, { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 }],
    ...[{ learningRate: 0.03, beta1: 0.5, beta2: 0.8, weightDecay: 0.4 }].map(
      (options) => ['large steps with decay', options, options] as [string, LionOptions, Required<LionOptions>],
    ),
  ])('follows algorithm 2 of the paper: %s', async (_, given, options) => {
    const { initial, gradients } = trial();
    const weight = [...initial];
    const momentum = initial.map(() => 0);
    const rate = options.learningRate as number;
    for (const gradient of gradients) {
      for (const [i, g] of gradient.entries()) {
        const direction = Math.sign(options.beta1 * momentum[i]! + (1 - options.beta1) * g);
        weight[i]! -= rate * (direction + options.weightDecay * weight[i]!);
        momentum[i] = options.beta2 * momentum[i]! + (1 - options.beta2) * g;
      }
    }
    const end = await follow(lion(given), initial, gradients);
    expectClose(end.weight!, weight, 1e-5, 1e-6);
    expectClose(end.momentum!, momentum, 1e-4, 1e-7);
  });

  it('does not move where the gradient has always been 0, and shows a NaN', async () => {
    const end = await follow(lion({ learningRate: 0.5 }), [1, 2, 3], [[0, -0, Number.NaN]]);
    expect(end.weight!.slice(0, 2)).toEqual([1, 2]);
    expect(end.weight![2]).toBeNaN();
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { momentum: 0.9 }, /lion has no option "momentum"/],
    ['a negative learning rate', { learningRate: -1 }, /lion: learningRate is -1/],
    ['beta1 = 1', { beta1: 1 }, /lion: beta1 is 1/],
    ['beta2 < 0', { beta2: -0.1 }, /lion: beta2 is -0\.1/],
    ['negative decay', { weightDecay: -1 }, /lion: weightDecay is -1/],
  ])('refuses %s', (_, options, message) => {
    expect(() => lion(options as never)).toThrow(message);
  });
});
