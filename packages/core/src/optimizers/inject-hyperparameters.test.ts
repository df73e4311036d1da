import { describe, expect, it } from 'vitest';
import {
  adamw,
  disposeState,
  injectHyperparameters,
  lieGroupAdditive,
  lmd,
  type Optimizer,
  parameterGroups,
  schedules,
  sgd,
} from '../index.js';
import { allValues, expectClose, follow, pass, reloaded, tensors, testOperations, trial } from './test-support.js';

describe('injectHyperparameters', () => {
  it('gives each step its values, of any option, and leaves numbers as they are', async () => {
    const { initial, gradients } = trial();
    const momenta = schedules.linear({ from: 0.1, to: 0.8, steps: 10 });
    const rule = injectHyperparameters(
      ({ learningRate, momentum, weightDecay }) => sgd({ learningRate, momentum, weightDecay }),
      { learningRate: schedules.cosine({ from: 0.3, to: 0.1, steps: 20 }), momentum: momenta, weightDecay: 0.2 },
    );
    const weight = [...initial];
    const velocity = initial.map(() => 0);
    for (const [step, gradient] of gradients.entries()) {
      const rate = schedules.cosine({ from: 0.3, to: 0.1, steps: 20 })(step);
      for (const [i, g] of gradient.entries()) {
        velocity[i] = momenta(step) * velocity[i]! + g;
        weight[i] = weight[i]! * (1 - rate * 0.2) - rate * velocity[i]!;
      }
    }
    const end = await follow(rule, initial, gradients);
    expectClose(end.weight!, weight, 1e-5, 1e-6);
    expect(rule.name).toBe('sgd');
  });

  it('is the rule itself where all is constant, and where a schedule is injected instead of given', async () => {
    const { initial, gradients } = trial();
    const learningRate = schedules.linear({ from: 0.1, to: 0.01, steps: 9 });
    expect(
      await follow(
        injectHyperparameters((values) => lmd(values), { learningRate, noise: 0.1 }),
        initial,
        gradients,
      ),
    ).toEqual(await follow(lmd({ learningRate, noise: 0.1 }), initial, gradients));
  });

  it('draws and updates one step with the same noise, and evaluates with that of the last', async () => {
    const ops = testOperations();
    const noise = (step: number) => step / 2;
    const rule = injectHyperparameters(({ sigma }) => lieGroupAdditive({ noise: sigma }), { sigma: noise });
    const state = await rule.init(ops, tensors(ops, { w: [1, 2] }));
    const key = { seed: 1, step: 3, sample: 0 };
    const drawn = async (step: number) => (await allValues(ops, rule.draw(ops, { ...state, step }, key))).w;
    for (const step of [0, 3]) {
      const fixed = lieGroupAdditive({ noise: noise(step) });
      expect(await drawn(step)).toEqual((await allValues(ops, fixed.draw(ops, state, key))).w);
      expect(await drawn(step)).toEqual((await allValues(ops, rule.weights(ops, { ...state, step }, 'sample', key))).w);
    }
    expect(await drawn(0)).not.toEqual(await drawn(3));
  });

  it('resumes to the same bits, alone and inside a group', async () => {
    const injected = () =>
      injectHyperparameters((values) => lmd(values), {
        noise: schedules.linear({ from: 0.3, to: 0, steps: 12 }),
        regularization: schedules.cosine({ from: 1, to: 0.1, steps: 12 }),
      });
    const { initial, gradients } = trial();
    const run = async (rule: Optimizer, restart: boolean) => {
      const ops = testOperations();
      let state = await rule.init(ops, tensors(ops, { w: initial, bias: initial }));
      for (const [step, g] of gradients.entries()) {
        if (restart && step === 7) state = await reloaded(ops, state, ops);
        const before = state;
        state = rule.update(ops, state, [pass(tensors(ops, { w: g, bias: g }), step)]);
        disposeState(ops, before);
      }
      return allValues(ops, state.tensors);
    };
    const grouped = () =>
      parameterGroups([
        { match: 'w', optimizer: injected() },
        { match: '*', optimizer: adamw() },
      ]);
    expect(await run(injected(), true)).toEqual(await run(injected(), false));
    expect(await run(grouped(), true)).toEqual(await run(grouped(), false));
    const alone = await run(injected(), false);
    expect((await run(grouped(), false))['w/logPlus']).toEqual(alone['w/logPlus']);
  });

  it('refuses what is not a number, by name and step, and what the rule refuses', async () => {
    expect(() => injectHyperparameters((values) => lmd(values), { noise: Number.NaN })).toThrow(
      /injectHyperparameters: noise is NaN/,
    );
    expect(() => injectHyperparameters((values) => lmd(values), { noise: -1 })).toThrow(/lmd: noise is -1/);
    expect(() => injectHyperparameters((values) => lmd(values as never), { sigma: 1 })).toThrow(
      /lmd has no option "sigma"/,
    );
    expect(() => injectHyperparameters(lmd() as never, {})).toThrow(/makeOptimizer is an object/);
    expect(() => injectHyperparameters(() => lmd(), [0.1] as never)).toThrow(/the hyper-parameters are \[0.1\]/);
    const ops = testOperations();
    const state = { ...(await lmd().init(ops, tensors(ops, { w: [1] }))), step: 4 };
    const key = { seed: 1, step: 4, sample: 0 };
    const failing = injectHyperparameters((values) => lmd(values), { noise: (step) => (step < 4 ? 0.1 : Number.NaN) });
    expect(() => failing.draw(ops, state, key)).toThrow(/noise\(4\) is NaN/);
    const negative = injectHyperparameters((values) => lmd(values), { noise: (step) => 0.1 - step });
    expect(() => negative.draw(ops, state, key)).toThrow(/lmd: noise is -3\.9/);
  });

  it('refuses a rule that changes its name or its number of samples', async () => {
    const ops = testOperations();
    const state = { ...(await lmd().init(ops, tensors(ops, { w: [1] }))), step: 1 };
    const more = injectHyperparameters((values) => lmd(values), { samples: (step) => 1 + step });
    expect(() => more.weights(ops, state)).toThrow(/samples is 2 at step 1 and was 1 at step 0/);
    const other = injectHyperparameters(({ which }) => (which === 0 ? lmd() : adamw()), { which: (step) => step });
    expect(() => other.weights(ops, state)).toThrow(/name is "adamw" at step 1 and was "lmd" at step 0/);
  });
});
