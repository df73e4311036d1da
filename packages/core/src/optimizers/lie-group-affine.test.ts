import { describe, expect, it } from 'vitest';
import { lieGroupAffine } from '../index.js';
import { meanDecay } from './lie-group-affine.js';
import {
  allValues,
  descend,
  expectClose,
  follow,
  meanOf,
  noiseOf,
  tensors,
  testOperations,
  trial,
  values,
} from './test-support.js';

describe('lieGroupAffine', () => {
  it.each([
    ['rates apart', 2, 0.5, 0.01],
    ['averages of the scale large enough to need the exponential', 6, 0.1, 0.5],
    ['no entropy', 1, 1, 0],
  ])('follows its rule: %s', async (_, rate, scaleRate, temperature) => {
    const { initial, gradients } = trial();
    const [beta, initialScale] = [0.6, 0.05];
    const location = [...initial];
    const scale = initial.map(() => initialScale);
    const ofLocation = initial.map(() => 0);
    const ofScale = initial.map(() => 0);
    for (const [step, gradient] of gradients.slice(0, 8).entries()) {
      const noise = await noiseOf('randomNormal', initial.length, step);
      for (const [i, g] of gradient.entries()) {
        const a = scale[i]!;
        ofScale[i] = beta * ofScale[i]! + (1 - beta) * (a * noise[i]! * g - temperature);
        ofLocation[i] = beta * ofLocation[i]! + (1 - beta) * a * g;
        location[i]! += (a * ofLocation[i]! * Math.expm1(-rate * ofScale[i]!)) / ofScale[i]!;
        scale[i] = a * Math.exp(-scaleRate * ofScale[i]!);
      }
    }
    const rule = lieGroupAffine({
      learningRate: rate,
      scaleLearningRate: scaleRate,
      momentum: beta,
      temperature,
      initialScale,
    });
    const end = await follow(rule, initial, gradients.slice(0, 8));
    expectClose(end.momentumScale!, ofScale, 1e-4, 1e-6);
    expectClose(end.momentumLocation!, ofLocation, 1e-4, 1e-6);
    expectClose(end.logScale!, scale.map(Math.log), 1e-4, 1e-5);
    expectClose(end.location!, location, 1e-3, 1e-5);
  });

  it('moves the location by −a·A·MV where the scale is not pushed, and by nothing without a gradient', async () => {
    const rule = lieGroupAffine({ temperature: 0, momentum: 0, learningRate: 4, initialScale: 0.1 });
    const end = await follow(rule, [1, -2], [[0, 0]]);
    expect(end.location).toEqual([1, -2]);
    const ops = testOperations();
    const state = await rule.init(ops, tensors(ops, { w: [1] }));
    const key = { seed: 1, step: 0, sample: 0 };
    const [noise] = await noiseOf('randomNormal', 1, 0);
    const drawn = await allValues(ops, rule.weights(ops, state, 'sample', key));
    expectClose(drawn.w!, [1 + 0.1 * noise!]);
    // A gradient too small for the exponential to differ from its tangent.
    const next = rule.update(ops, state, [{ key, gradients: tensors(ops, { w: [1e-2] }) }]);
    expectClose(await values(ops, next.tensors['w/location']!), [1 - 4 * 0.1 * 0.1 * 1e-2], 1e-6);
  });

  it('takes (1 − e⁻ˣ)/x to single precision on both sides of where its series ends', async () => {
    const ops = testOperations();
    const sizes = [1e-30, 1e-4, 0.01, 0.03, 0.0499, 0.0501, 0.2, 1, 7];
    const xs = [0, ...sizes, ...sizes.map((x) => -x)];
    expectClose(
      await values(ops, meanDecay(ops, ops.fromData(xs))),
      xs.map((x) => (x === 0 ? 1 : -Math.expm1(-x) / x)),
      3e-6,
      0,
    );
  });

  it('on a quadratic of curvature h finds the minimum, and the variance T/h', async () => {
    const ops = testOperations();
    const [size, target, temperature] = [256, 0.4, 1e-3];
    for (const curvature of [0.5, 4]) {
      const rule = lieGroupAffine({ temperature, learningRate: 20, scaleLearningRate: 20, samples: 2 });
      const state = await descend(ops, rule, ops.full([size], 0), 400, (w) =>
        ops.multiply(ops.subtract(w, target), curvature),
      );
      expect(Math.abs(meanOf(await values(ops, state.tensors['w/location']!)) - target)).toBeLessThan(0.01);
      // The step of log A has mean 0 where E[A²] = T/h.
      const squares = (await values(ops, state.tensors['w/logScale']!)).map((l) => Math.exp(2 * l));
      expect(Math.abs((meanOf(squares) * curvature) / temperature - 1)).toBeLessThan(0.05);
    }
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { noise: 1 }, /lieGroupAffine has no option "noise"/],
    ['a negative learning rate', { learningRate: -1 }, /lieGroupAffine: learningRate is -1/],
    ['a negative rate of the scale', { scaleLearningRate: -2 }, /lieGroupAffine: scaleLearningRate is -2/],
    ['momentum 1', { momentum: 1 }, /lieGroupAffine: momentum is 1/],
    ['a negative temperature', { temperature: -1 }, /lieGroupAffine: temperature is -1/],
    ['an initial scale of 0', { initialScale: 0 }, /lieGroupAffine: initialScale is 0/],
    ['no samples', { samples: 0 }, /lieGroupAffine: samples is 0/],
  ])('refuses %s', (_, options, message) => {
    expect(() => lieGroupAffine(options as never)).toThrow(message);
  });
});
