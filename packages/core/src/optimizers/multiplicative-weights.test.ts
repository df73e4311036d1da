import { describe, expect, it } from 'vitest';
import { exponentiatedGradient, multiplicativeWeights } from '../index.js';
import { expectClose, follow, tensors, testOperations, trial } from './test-support.js';

describe('multiplicativeWeights', () => {
  it.each(['sign', 'gradient'] as const)('multiplies magnitudes by exp(−a·cost): %s', async (cost) => {
    const { initial, gradients } = trial();
    const expected = initial.map((start, i) => {
      const costs = gradients.map(
        (gradient) => Math.sign(start) * (cost === 'sign' ? Math.sign(gradient[i]!) : gradient[i]!),
      );
      return start * Math.exp(-0.05 * costs.reduce((sum, one) => sum + one, 0));
    });
    const end = await follow(multiplicativeWeights({ learningRate: 0.05, cost }), initial, gradients);
    expect(Object.keys(end)).toEqual(['weight']);
    expectClose(end.weight!, expected, 1e-5, 0);
    expect(end.weight!.map(Math.sign)).toEqual(initial.map(Math.sign));
  });

  it('with the cost `gradient` is the positive half of EG± on positive weights', async () => {
    const { initial, gradients } = trial();
    const positive = initial.map((w) => 1 + Math.abs(w));
    const { weight } = await follow(
      multiplicativeWeights({ learningRate: 0.1, cost: 'gradient' }),
      positive,
      gradients,
    );
    const floor = 1e-3;
    const halves = await follow(exponentiatedGradient({ learningRate: 0.1, floor }), positive, gradients);
    const start = await follow(exponentiatedGradient({ learningRate: 0.1, floor }), positive, []);
    // Both change log m⁺ by the same; EG± starts at the weight plus its floor.
    const change = halves.logPlus!.map((log, i) => log - start.logPlus![i]!);
    expectClose(
      weight!.map((w, i) => Math.log(w / positive[i]!)),
      change,
      1e-4,
      1e-5,
    );
  });

  it('does not move without a gradient or from 0, and shows a NaN', async () => {
    const rule = multiplicativeWeights({ learningRate: 0.5 });
    const { weight } = await follow(rule, [1, -2, 0, 3], [[0, -0, 1, Number.NaN]]);
    expect(weight!.slice(0, 3)).toEqual([1, -2, 0]);
    expect(weight![3]).toBeNaN();
  });

  it('refuses weights that are all 0, by name, and costs that it does not know', async () => {
    const ops = testOperations();
    await expect(multiplicativeWeights().init(ops, tensors(ops, { bias: [0, 0] }))).rejects.toThrow(/"bias"/);
    expect(() => multiplicativeWeights({ cost: 'loss' } as never)).toThrow(
      /cost is "loss"\. Use one of: sign, gradient/,
    );
  });
});
