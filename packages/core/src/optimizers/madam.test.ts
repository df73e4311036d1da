import { describe, expect, it } from 'vitest';
import { type MadamOptions, madam } from '../index.js';
import { expectClose, follow, tensors, testOperations, trial, values } from './test-support.js';

const clip = (value: number, bound: number) => Math.max(Math.min(value, bound), -bound);

describe('madam', () => {
  it.each<[string, MadamOptions]>([
    ['the defaults', {}],
    ['tight bounds', { learningRate: 0.3, beta: 0.5, gradientBound: 0.8, weightBound: 1.2 }],
  ])('follows algorithm 1 of the paper: %s', async (_, options) => {
    const { learningRate = 0.01, beta = 0.999, gradientBound = 10, weightBound = 3 } = options;
    const { initial, gradients } = trial();
    const weight = [...initial];
    const moment = initial.map(() => 0);
    const scale = Math.sqrt(initial.reduce((sum, w) => sum + w * w, 0) / initial.length);
    for (const [step, gradient] of gradients.entries()) {
      for (const [i, g] of gradient.entries()) {
        moment[i] = beta * moment[i]! + (1 - beta) * g * g;
        const deviation = Math.sqrt(moment[i]! / (1 - beta ** (step + 1)));
        const w = weight[i]!;
        const factor = Math.exp(-(learningRate as number) * Math.sign(w) * clip(g / deviation, gradientBound));
        weight[i] = clip(w * factor, weightBound * scale);
      }
    }
    const end = await follow(madam(options), initial, gradients);
    expectClose(end.weight!, weight, 2e-5, 1e-7);
    expectClose(end.secondMoment!, moment, 1e-4, 1e-9);
    expectClose(end.bound!, [weightBound * scale]);
  });

  it.each([1e30, 1e-30])('knows the scale of weights whose squares do not fit in f32: %s', async (size) => {
    const ops = testOperations();
    const { tensors: state } = await madam().init(ops, tensors(ops, { w: [3 * size, -4 * size] }));
    expectClose(await values(ops, state['w/bound']!), [3 * Math.sqrt(12.5) * size], 1e-6, 0);
  });

  it('moves log |w| by no more than a·gradientBound, keeps signs, and stays within p·rms of the start', async () => {
    const [learningRate, gradientBound, weightBound] = [0.1, 2, 1.5];
    const rule = madam({ learningRate, gradientBound, weightBound, beta: 0.999 });
    const { initial } = trial(40);
    const bound = weightBound * Math.sqrt(initial.reduce((sum, w) => sum + w * w, 0) / initial.length);
    // Thirty small gradients and then a large one: g / √V̂ is far above 2.
    const quiet = Array.from({ length: 30 }, () => initial.map(() => 1e-3));
    const before = await follow(rule, initial, quiet);
    const after = await follow(rule, initial, [...quiet, initial.map((_, i) => (i % 2 === 0 ? 1 : -1))]);
    let largest = 0;
    for (const [i, w] of after.weight!.entries()) {
      const old = before.weight![i]!;
      expect(Math.sign(w)).toBe(Math.sign(initial[i]!));
      expect(Math.abs(w)).toBeLessThanOrEqual(bound * (1 + 1e-6));
      largest = Math.max(largest, Math.abs(Math.log(w / old)));
    }
    expect(largest).toBeLessThanOrEqual(learningRate * gradientBound + 1e-5);
    expect(largest).toBeGreaterThan(learningRate * gradientBound - 1e-4);
    // What pushes outward for ever ends at the bound.
    const outward = Array.from({ length: 100 }, () => initial.map((w) => -Math.sign(w)));
    const end = await follow(rule, initial, outward);
    expectClose(
      end.weight!.map(Math.abs),
      initial.map(() => bound),
      1e-6,
    );
  });

  it('does not move a coordinate without gradient, and shows a NaN', async () => {
    const end = await follow(madam(), [1, -2, 3], [[0, -0, Number.NaN]]);
    expect(end.weight!.slice(0, 2)).toEqual([1, -2]);
    expect(end.weight![2]).toBeNaN();
  });

  it('refuses to start from zeros, naming the weight', async () => {
    const ops = testOperations();
    await expect(madam().init(ops, tensors(ops, { a: [1], bias: [0, 0] }))).rejects.toThrow(
      /madam: the initial weights "bias" have root mean square 0/,
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { beta1: 0.9 }, /madam has no option "beta1"/],
    ['a learning rate that is text', { learningRate: 'fast' }, /madam: learningRate is "fast"/],
    ['beta = 1', { beta: 1 }, /madam: beta is 1/],
    ['a gradient bound of 0', { gradientBound: 0 }, /madam: gradientBound is 0/],
    ['a negative weight bound', { weightBound: -3 }, /madam: weightBound is -3/],
  ])('refuses %s', (_, options, message) => {
    expect(() => madam(options as never)).toThrow(message);
  });
});
