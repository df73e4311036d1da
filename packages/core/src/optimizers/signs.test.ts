import { describe, expect, it } from 'vitest';
import {
  adamw,
  clipByGlobalNorm,
  injectHyperparameters,
  lion,
  lmd,
  type NamedTensors,
  type Optimizer,
  parameterGroups,
  signum,
} from '../index.js';
import { allValues, pass, randomNumbers, testOperations } from './test-support.js';

const optimizers: { readonly [name: string]: Optimizer } = {
  lion: lion(),
  signum: signum(),
  'lmd, a momentum for each half': lmd({ learningRate: 0.1, noise: 0.1 }),
  'lmd, one momentum for both halves': lmd({ gradientScaling: 'none' }),
  'lmd, two samples': lmd({ samples: 2 }),
  'lmd, a regularizer that the kernel has not': lmd({ regularizer: 'exponentialDivergence' }),
  'lmd, a regularizer at the sample': lmd({ regularizer: 'halfNormalPrior', regularizerAt: 'sample' }),
  'lmd, state of codes': lmd({ stateFormat: 'block16', learningRate: 0.1 }),
  groups: parameterGroups([
    { match: 'w', optimizer: lmd() },
    { match: '*', optimizer: adamw() },
  ]),
  'injected hyperparameters': injectHyperparameters(({ noise }) => lmd({ noise }), {
    noise: (step) => 0.1 / (1 + step),
  }),
};

/** Weights, and the gradients of some steps. Some are 0, so that some directions are. */
function trial(ops = testOperations()) {
  const random = randomNumbers(3);
  const vector = () => Array.from({ length: 12 }, () => random() - 0.5);
  const tensors = (make: () => number[]): NamedTensors => ({ w: ops.fromData(make()), b: ops.fromData(make()) });
  const gradients = () => tensors(() => vector().map((x, index) => (index === 5 ? 0 : x)));
  return { ops, weights: tensors(vector), gradients };
}

describe.each(Object.entries(optimizers))('%s', (_, optimizer) => {
  it('has the bits of `update` with its own directions', async () => {
    const { ops, weights, gradients } = trial();
    let state = await optimizer.init(ops, weights);
    for (let step = 0; step < 4; step++) {
      const passes = Array.from({ length: optimizer.samples }, (_, sample) => pass(gradients(), step, sample));
      const expected = await allValues(ops, optimizer.update(ops, state, passes).tensors);
      const directions = optimizer.signs!.directions(ops, state, passes);
      for (const direction of Object.values(await allValues(ops, directions))) {
        expect(direction.every((sign) => sign === 0 || Math.abs(sign) === 1)).toBe(true);
      }
      const done: string[] = [];
      state = optimizer.signs!.update(ops, state, passes, directions, (weight) => done.push(weight));
      expect(await allValues(ops, state.tensors)).toEqual(expected);
      expect(state.step).toBe(step + 1);
      expect(done.sort()).toEqual(['b', 'w']);
    }
  });

  it('moves in the directions given, and momenta follow the gradients', async () => {
    const { ops, weights, gradients } = trial();
    const state = await optimizer.init(ops, weights);
    const passes = Array.from({ length: optimizer.samples }, (_, sample) => pass(gradients(), 0, sample));
    const own = optimizer.signs!.directions(ops, state, passes);
    const opposite = Object.fromEntries(Object.entries(own).map(([name, sign]) => [name, ops.negate(sign)]));
    const [along, against] = [own, opposite].map((directions) =>
      optimizer.signs!.update(ops, state, passes, directions),
    );
    const [moved, back] = [await allValues(ops, along!.tensors), await allValues(ops, against!.tensors)];
    expect(back).not.toEqual(moved);
    for (const name of Object.keys(moved)) {
      if (name in own) expect(back[name]).not.toEqual(moved[name]);
      if (/\/momentum/.test(name) || !(name.split('/')[0]! in weights)) expect(back[name]).toEqual(moved[name]);
    }
  });
});

it('leaves nothing behind but its results', async () => {
  for (const optimizer of Object.values(optimizers)) {
    const { ops, weights, gradients } = trial();
    const state = await optimizer.init(ops, weights);
    const passes = Array.from({ length: optimizer.samples }, (_, sample) => pass(gradients(), 0, sample));
    const before = ops.memory().tensors;
    const directions = optimizer.signs!.directions(ops, state, passes);
    expect(ops.memory().tensors).toBe(before + Object.keys(directions).length);
    const next = optimizer.signs!.update(ops, state, passes, directions);
    ops.dispose(directions);
    expect(ops.memory().tensors).toBe(before + Object.keys(next.tensors).length);
  }
});

it('names a direction that is missing', async () => {
  const { ops, weights, gradients } = trial();
  for (const [optimizer, name] of [
    [lion(), 'w/weight'],
    [lmd(), 'w/logPlus'],
  ] as const) {
    const state = await optimizer.init(ops, weights);
    expect(() => optimizer.signs!.update(ops, state, [pass(gradients())], {})).toThrow(`no direction "${name}"`);
  }
});

it('is absent where a step is no sign, or depends on all gradients together', () => {
  for (const optimizer of [adamw(), lmd({ useSign: false }), clipByGlobalNorm(lion(), 1)]) {
    expect(optimizer.signs).toBeUndefined();
  }
});
