import { describe, expect, it } from 'vitest';
import { exponentiatedGradient, lmd } from '../index.js';
import { allValues, expectClose, follow, pass, tensors, testOperations, trial } from './test-support.js';

const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0);

function initialHalves(initial: readonly number[], floor: number) {
  const scale = Math.sqrt(sum(initial.map((w) => w * w)) / initial.length);
  const half = (sign: number) => initial.map((w) => Math.max(sign * w, 0) + floor * scale);
  return { plus: half(1), minus: half(-1) };
}

describe('exponentiatedGradient', () => {
  it.each([
    [false, 0.1, 0.5],
    [true, 0.7, 0.2],
  ])('follows EG± (normalised: %s)', async (normalize, learningRate, floor) => {
    const { initial, gradients } = trial();
    let { plus, minus } = initialHalves(initial, floor);
    const total = sum(plus) + sum(minus);
    for (const gradient of gradients) {
      plus = plus.map((m, i) => m * Math.exp(-learningRate * gradient[i]!));
      minus = minus.map((m, i) => m * Math.exp(learningRate * gradient[i]!));
      const factor = normalize ? total / (sum(plus) + sum(minus)) : 1;
      plus = plus.map((m) => m * factor);
      minus = minus.map((m) => m * factor);
    }
    const end = await follow(exponentiatedGradient({ normalize, learningRate, floor }), initial, gradients);
    expectClose(end.logPlus!, plus.map(Math.log), 1e-5, 2e-6);
    expectClose(end.logMinus!, minus.map(Math.log), 1e-5, 2e-6);
    expect(Object.keys(end)).toEqual(normalize ? ['logPlus', 'logMinus', 'logTotal'] : ['logPlus', 'logMinus']);
  });

  it('is lmd without noise, sign, prior, momentum and gradient scaling', async () => {
    const { initial, gradients } = trial();
    const own = await follow(exponentiatedGradient({ learningRate: 0.3, floor: 0.4 }), initial, gradients);
    const same = await follow(
      lmd({
        learningRate: 0.3,
        priorMedianFloor: 0.4,
        noise: 0,
        useSign: false,
        regularization: 0,
        beta1: 0,
        beta2: 0,
        gradientScaling: 'none',
      }),
      initial,
      gradients,
    );
    expectClose(own.logPlus!, same.logPlus!, 1e-6, 1e-6);
    expectClose(own.logMinus!, same.logMinus!, 1e-6, 1e-6);
  });

  it('keeps Σ |w| below the total when normalised, also where exp would overflow', async () => {
    const { initial } = trial();
    const ops = testOperations();
    const rule = exponentiatedGradient({ normalize: true, learningRate: 500 });
    let state = await rule.init(ops, tensors(ops, { w: initial }));
    const total = Math.exp((await allValues(ops, state.tensors))['w/logTotal']![0]!);
    state = rule.update(ops, state, [pass(tensors(ops, { w: initial.map((w, i) => (i === 0 ? -1 : w / 2)) }))]);
    const { w } = await allValues(ops, rule.weights(ops, state));
    // The winner takes all.
    expectClose(
      w!,
      initial.map((_, i) => (i === 0 ? total : 0)),
      1e-4,
      1e-6,
    );
  });

  it('starts at the given weights, and draws without a key what it evaluates', async () => {
    const ops = testOperations();
    const rule = exponentiatedGradient();
    const state = await rule.init(ops, tensors(ops, { w: [0.5, -2, 0] }));
    for (const kind of ['mean', 'median', 'sample'] as const) {
      expectClose((await allValues(ops, rule.weights(ops, state, kind))).w!, [0.5, -2, 0], 1e-6, 1e-6);
    }
    expect(await allValues(ops, rule.draw(ops, state, { seed: 1, step: 0, sample: 0 }))).toEqual(
      await allValues(ops, rule.weights(ops, state)),
    );
    await expect(rule.init(ops, tensors(ops, { bias: [0] }))).rejects.toThrow(/weights "bias" have root mean square 0/);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { totalWeight: 1 }, /exponentiatedGradient has no option "totalWeight"/],
    ['a negative learning rate', { learningRate: -1 }, /exponentiatedGradient: learningRate is -1/],
    ['normalize that is no flag', { normalize: 'yes' }, /exponentiatedGradient: normalize is "yes"/],
    ['a floor of 0', { floor: 0 }, /exponentiatedGradient: floor is 0/],
  ])('refuses %s', (_, options, message) => {
    expect(() => exponentiatedGradient(options as never)).toThrow(message);
  });
});
