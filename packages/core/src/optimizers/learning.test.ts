import { describe, expect, it } from 'vitest';
import { adamw, lmd, type Optimizer, schedules } from '../index.js';
import { pass, randomNumbers, testOperations, values } from './test-support.js';

describe('optimizers learn', () => {
  it.each<[string, Optimizer]>([
    ['lmd', lmd({ learningRate: schedules.cosine({ from: 0.05, to: 0.001, steps: 200 }), regularization: 0.1 })],
    [
      'lmd with two samples',
      lmd({ learningRate: schedules.cosine({ from: 0.05, to: 0.001, steps: 200 }), regularization: 0.1, samples: 2 }),
    ],
    [
      'lmd without gradient scaling',
      lmd({
        learningRate: schedules.cosine({ from: 0.05, to: 0.001, steps: 200 }),
        regularization: 0.1,
        gradientScaling: 'none',
      }),
    ],
    ['adamw', adamw({ learningRate: schedules.cosine({ from: 0.05, to: 0.001, steps: 200 }) })],
  ])('%s: a linear regression to a hundredth of its loss', async (_, rule) => {
    const ops = testOperations();
    const random = randomNumbers(8);
    const [rows, width] = [64, 6];
    const inputs = ops.fromData(
      Array.from({ length: rows * width }, () => 2 * random() - 1),
      [rows, width],
    );
    const truth = ops.fromData([1, -0.5, 0.8, -1.2, 0.3, 0.6], [width, 1]);
    const targets = ops.matmul(inputs, truth);
    const residuals = (w: Parameters<typeof ops.matmul>[1]) => ops.subtract(ops.matmul(inputs, w), targets);
    const loss = async (state: Awaited<ReturnType<Optimizer['init']>>) => {
      const rest = residuals(rule.weights(ops, state).w!);
      return (await values(ops, ops.mean(ops.multiply(rest, rest))))[0]!;
    };
    const initial = Array.from({ length: width }, () => random() - 0.5);
    let state = await rule.init(ops, { w: ops.fromData(initial, [width, 1]) });
    const before = await loss(state);
    for (let step = 0; step < 200; step++) {
      const current = state;
      state = ops.scope(() => {
        const passes = Array.from({ length: rule.samples }, (__, sample) => {
          const { w } = rule.draw(ops, current, { seed: 1, step, sample });
          const gradient = ops.multiply(ops.matmul(inputs, residuals(w!), { transposeA: true }), 2 / rows);
          return pass({ w: gradient }, step, sample);
        });
        return rule.update(ops, current, passes);
      });
      ops.dispose(current.tensors);
    }
    expect(await loss(state)).toBeLessThan(before / 100);
  });
});
