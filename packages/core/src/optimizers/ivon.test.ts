import { describe, expect, it } from 'vitest';
import { type IvonOptions, ivon } from '../index.js';
import {
  allValues,
  descend,
  expectClose,
  follow,
  meanOf,
  noiseOf,
  pass,
  tensors,
  testOperations,
  trial,
  values,
} from './test-support.js';

describe('ivon', () => {
  it.each<[string, IvonOptions]>([
    ['the defaults', { effectiveSampleSize: 1000 }],
    [
      'everything else, clipped',
      {
        effectiveSampleSize: 50,
        learningRate: (step) => 0.1 / (step + 1),
        beta1: 0.5,
        beta2: 0.8,
        weightDecay: 0.05,
        initialHessian: 0.3,
        rescaleLearningRate: false,
        clipRadius: 0.2,
      },
    ],
  ])('follows algorithm 1 of the paper: %s', async (_, options) => {
    const { effectiveSampleSize: lambda, learningRate = 0.1, beta1 = 0.9, beta2 = 0.99999 } = options;
    const {
      weightDecay: delta = 1e-4,
      initialHessian = 1,
      rescaleLearningRate = true,
      clipRadius = Infinity,
    } = options;
    const { initial, gradients } = trial();
    const mean = [...initial];
    const average = initial.map(() => 0);
    const hessian = initial.map(() => initialHessian);
    for (const [step, gradient] of gradients.entries()) {
      const noise = await noiseOf('randomNormal', initial.length, step);
      const scheduled = typeof learningRate === 'number' ? learningRate : learningRate(step);
      const rate = scheduled * (rescaleLearningRate ? initialHessian + delta : 1);
      for (const [i, g] of gradient.entries()) {
        const h = hessian[i]!;
        const variance = 1 / (lambda * (h + delta));
        // As the paper has it: g·(θ − m)/σ².
        const estimate = (g * (noise[i]! * Math.sqrt(variance))) / variance;
        hessian[i] = beta2 * h + (1 - beta2) * estimate + (0.5 * (1 - beta2) ** 2 * (h - estimate) ** 2) / (h + delta);
        average[i] = beta1 * average[i]! + (1 - beta1) * g;
        const corrected = average[i]! / (1 - beta1 ** (step + 1));
        const newton = (corrected + delta * mean[i]!) / (hessian[i]! + delta);
        mean[i]! -= rate * Math.max(Math.min(newton, clipRadius), -clipRadius);
      }
    }
    const end = await follow(ivon(options), initial, gradients);
    expectClose(end.hessian!, hessian, 1e-4, 1e-6);
    expectClose(end.gradientAverage!, average, 1e-5, 1e-6);
    expectClose(end.mean!, mean, 1e-4, 1e-5);
  });

  it('on a quadratic finds the posterior: mean h·w*/(h + δ), variance 1/(λ·(h + δ))', async () => {
    const ops = testOperations();
    const [size, target, lambda, weightDecay] = [512, 0.8, 100, 0.2];
    for (const curvature of [0.5, 3]) {
      const rule = ivon({ effectiveSampleSize: lambda, beta2: 0.99, weightDecay, learningRate: 0.05 });
      const state = await descend(ops, rule, ops.full([size], 0), 600, (w) =>
        ops.multiply(ops.subtract(w, target), curvature),
      );
      const mean = await values(ops, state.tensors['w/mean']!);
      expect(Math.abs(meanOf(mean) - (curvature * target) / (curvature + weightDecay))).toBeLessThan(0.01);
      // Drawn weights have the variance of the posterior. The Riemannian correction biases h by about 1 − β₂.
      const deviations: number[] = [];
      for (let sample = 0; sample < 20; sample++) {
        const { w } = await allValues(ops, rule.weights(ops, state, 'sample', { seed: 5, step: 0, sample }));
        deviations.push(...w!.map((value, i) => value - mean[i]!));
      }
      const variance = meanOf(deviations.map((d) => d * d));
      expect(Math.abs(variance * lambda * (curvature + weightDecay) - 1)).toBeLessThan(0.06);
    }
  });

  it('keeps h + δ above 0 under estimates far below 0', async () => {
    const { initial } = trial(50);
    const random = trial(50, 40).gradients.map((gradient) => gradient.map((g) => 1e3 * g));
    const weightDecay = 0.01;
    const end = await follow(ivon({ effectiveSampleSize: 1e4, beta2: 0.5, weightDecay }), initial, random);
    for (const h of end.hessian!) expect(h + weightDecay).toBeGreaterThan(0);
    expect(end.mean!.every(Number.isFinite)).toBe(true);
  });

  it('averages ĝ and ĥ over its samples, each with its own noise', async () => {
    const ops = testOperations();
    const options = { effectiveSampleSize: 4, beta1: 0, beta2: 0.5, weightDecay: 0.5, initialHessian: 0.5 };
    const rule = ivon({ ...options, samples: 2, learningRate: 0 });
    const state = await rule.init(ops, tensors(ops, { w: [1, 2, 3] }));
    const passes = [2, -1].map((g, sample) => pass(tensors(ops, { w: [g, g, g] }), 6, sample));
    const next = await allValues(ops, rule.update(ops, state, passes).tensors);
    const [first, second] = [await noiseOf('randomNormal', 3, 6), await noiseOf('randomNormal', 3, 6, { sample: 1 })];
    // 1/σ = √(4·(0.5 + 0.5)) = 2.
    const expected = first.map((e, i) => {
      const change = 0.5 * (2 * ((2 * e - second[i]!) / 2) - 0.5);
      return 0.5 + change + change ** 2 / 2;
    });
    expectClose(next['w/hessian']!, expected, 1e-5);
    expect(next['w/gradientAverage']).toEqual([0.5, 0.5, 0.5]);
  });

  it('asks for the key that it drew with', async () => {
    const ops = testOperations();
    const rule = ivon({ effectiveSampleSize: 10 });
    const state = await rule.init(ops, tensors(ops, { w: [1] }));
    expect(() => rule.weights(ops, state, 'sample')).toThrow(/ivon: there is no random key to sample "w"/);
    const gradients = tensors(ops, { w: [1] });
    expect(() => rule.update(ops, state, [{ gradients } as never])).toThrow(
      /ivon: there is no random key to sample "w"/,
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['no sample size', {}, /ivon: effectiveSampleSize is missing/],
    ['no options', undefined, /ivon: the options are undefined/],
    ['an unknown option', { ess: 1 }, /ivon has no option "ess"/],
    ['a sample size of 0', { effectiveSampleSize: 0 }, /effectiveSampleSize is 0/],
    ['a negative learning rate', { effectiveSampleSize: 1, learningRate: -1 }, /ivon: learningRate is -1/],
    ['beta1 = 1', { effectiveSampleSize: 1, beta1: 1 }, /ivon: beta1 is 1/],
    ['beta2 = 1', { effectiveSampleSize: 1, beta2: 1 }, /ivon: beta2 is 1/],
    ['no decay', { effectiveSampleSize: 1, weightDecay: 0 }, /ivon: weightDecay is 0/],
    ['a Hessian of 0', { effectiveSampleSize: 1, initialHessian: 0 }, /ivon: initialHessian is 0/],
    ['a flag that is none', { effectiveSampleSize: 1, rescaleLearningRate: 0 }, /ivon: rescaleLearningRate is 0/],
    ['a clip radius of 0', { effectiveSampleSize: 1, clipRadius: 0 }, /ivon: clipRadius is 0/],
    ['no samples', { effectiveSampleSize: 1, samples: 0 }, /ivon: samples is 0/],
  ])('refuses %s', (_, options, message) => {
    expect(() => ivon(options as never)).toThrow(message);
  });
});
