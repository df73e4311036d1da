import { describe, expect, it } from 'vitest';
import { lieGroupAdditive, sgd } from '../index.js';
import {
  allValues,
  expectClose,
  follow,
  meanOf,
  noiseOf,
  pass,
  tensors,
  testOperations,
  trial,
} from './test-support.js';

describe('lieGroupAdditive', () => {
  it('averages gradients, and draws around the location with the noise of the key', async () => {
    const { initial, gradients } = trial();
    const location = [...initial];
    const momentum = initial.map(() => 0);
    for (const gradient of gradients) {
      for (const [i, g] of gradient.entries()) {
        momentum[i] = 0.6 * momentum[i]! + 0.4 * g;
        location[i]! -= 0.2 * momentum[i]!;
      }
    }
    const rule = lieGroupAdditive({ learningRate: 0.2, momentum: 0.6, noise: 0.5 });
    const end = await follow(rule, initial, gradients);
    expectClose(end.location!, location, 1e-5, 1e-6);
    expectClose(end.momentum!, momentum, 1e-5, 1e-6);

    const ops = testOperations();
    const state = await rule.init(ops, tensors(ops, { w: initial }));
    const noise = await noiseOf('randomNormal', initial.length, 3, { sample: 2 });
    const key = { seed: 1, step: 3, sample: 2 };
    const drawn = (await allValues(ops, rule.draw(ops, state, key))).w!;
    expectClose(
      drawn,
      initial.map((w, i) => w + 0.5 * noise[i]!),
      1e-6,
      1e-6,
    );
    expect((await allValues(ops, rule.weights(ops, state, 'sample', key))).w).toEqual(drawn);
    expect((await allValues(ops, rule.weights(ops, state))).w).toEqual(
      (await allValues(ops, state.tensors))['w/location'],
    );
  });

  it('at temperature 0, without noise, is SGD with momentum at the rate a·(1 − β)', async () => {
    const { initial, gradients } = trial();
    const own = await follow(lieGroupAdditive({ learningRate: 0.5, momentum: 0.9, noise: 0 }), initial, gradients);
    const same = await follow(sgd({ learningRate: 0.05, momentum: 0.9 }), initial, gradients);
    expectClose(own.location!, same.weight!, 1e-5, 1e-6);
    const ops = testOperations();
    const rule = lieGroupAdditive({ noise: 0 });
    const state = await rule.init(ops, tensors(ops, { w: initial }));
    const drawn = rule.draw(ops, state, { seed: 1, step: 0, sample: 0 });
    expect((await allValues(ops, drawn)).w).toEqual((await allValues(ops, state.tensors))['w/location']);
  });

  it('averages the gradients of its samples and refuses another number of passes', async () => {
    const ops = testOperations();
    const rule = lieGroupAdditive({ samples: 2, learningRate: 1, momentum: 0 });
    const state = await rule.init(ops, tensors(ops, { w: [1] }));
    const passes = [2, 4].map((g, sample) => pass(tensors(ops, { w: [g] }), 0, sample));
    const next = rule.update(ops, state, passes);
    expect((await allValues(ops, next.tensors))['w/location']).toEqual([1 - meanOf([2, 4])]);
    expect(() => rule.update(ops, state, passes.slice(1))).toThrow(/1 passes for 2 samples/);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { temperature: 1 }, /lieGroupAdditive has no option "temperature"/],
    ['a negative learning rate', { learningRate: -1 }, /lieGroupAdditive: learningRate is -1/],
    ['momentum 1', { momentum: 1 }, /lieGroupAdditive: momentum is 1/],
    ['negative noise', { noise: -0.1 }, /lieGroupAdditive: noise is -0\.1/],
    ['half a sample', { samples: 0.5 }, /lieGroupAdditive: samples is 0\.5/],
  ])('refuses %s', (_, options, message) => {
    expect(() => lieGroupAdditive(options as never)).toThrow(message);
  });
});
