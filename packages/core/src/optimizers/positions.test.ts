import { describe, expect, it } from 'vitest';
import {
  adamw,
  clipByGlobalNorm,
  exponentiatedGradient,
  injectHyperparameters,
  ivon,
  lieGroupAdditive,
  lieGroupAffine,
  lieGroupMultiplicative,
  lion,
  lmd,
  lmdLogMedians,
  madam,
  muon,
  type NamedTensors,
  type Optimizer,
  parameterGroups,
  sgd,
} from '../index.js';
import { allValues, pass, randomNumbers, testOperations } from './test-support.js';

const optimizers: { readonly [name: string]: Optimizer } = {
  sgd: sgd({ learningRate: 0.1, momentum: 0.9 }),
  'adamw, clipped': clipByGlobalNorm(adamw(), 1),
  lion: lion(),
  madam: madam(),
  muon: muon(),
  lieGroupAdditive: lieGroupAdditive(),
  lieGroupMultiplicative: lieGroupMultiplicative(),
  lieGroupAffine: lieGroupAffine(),
  ivon: ivon({ effectiveSampleSize: 100 }),
  exponentiatedGradient: exponentiatedGradient(),
  'exponentiatedGradient, normalized': exponentiatedGradient({ normalize: true }),
  lmd: lmd({ learningRate: 0.1 }),
  'lmd, state of codes': lmd({ stateFormat: 'block16', learningRate: 0.1 }),
  groups: parameterGroups([
    { match: 'w', optimizer: lmd() },
    { match: '*', optimizer: adamw() },
  ]),
  'injected hyperparameters': injectHyperparameters(({ noise }) => lmd({ noise }), { noise: () => 0.1 }),
};

async function trained(optimizer: Optimizer, seed: number, ops = testOperations()) {
  const random = randomNumbers(seed);
  const tensors = (): NamedTensors => {
    const make = () =>
      ops.fromData(
        Array.from({ length: 12 }, () => random() - 0.5),
        [3, 4],
      );
    return { w: make(), b: make() };
  };
  let state = await optimizer.init(ops, tensors());
  for (let step = 0; step < 3; step++) {
    const passes = Array.from({ length: optimizer.samples }, (_, sample) => pass(tensors(), step, sample));
    state = optimizer.update(ops, state, passes);
  }
  return { ops, state };
}

describe.each(Object.entries(optimizers))('positions of %s', (_, optimizer) => {
  const positions = optimizer.positions!;

  it('that are written back change nothing', async () => {
    const { ops, state } = await trained(optimizer, 1);
    const again = positions.write(ops, state, positions.read(ops, state));
    expect(again.step).toBe(3);
    expect(await allValues(ops, again.tensors)).toEqual(await allValues(ops, state.tensors));
  });

  it('of another state move the weights there, and leave the memory', async () => {
    const ops = testOperations();
    const [one, other] = [await trained(optimizer, 1, ops), await trained(optimizer, 2, ops)];
    const moved = positions.write(ops, one.state, positions.read(ops, other.state));
    const [weights, expected] = [moved, other.state].map((state) => optimizer.weights(ops, state, 'median'));
    const [values, target] = [await allValues(ops, weights!), await allValues(ops, expected!)];
    for (const [name, row] of Object.entries(target)) {
      // Codes are relative to the prior of the state.
      for (const [index, value] of row.entries()) expect(values[name]![index]).toBeCloseTo(value, 3);
    }
    const places = Object.keys(positions.read(ops, one.state));
    const memory = Object.keys(moved.tensors).filter((name) => /moment|velocity|average|total/i.test(name));
    expect(memory.filter((name) => places.includes(name))).toEqual([]);
    expect(memory.length > 0).toBe(optimizer !== optimizers.exponentiatedGradient);
    const [after, before] = [await allValues(ops, moved.tensors), await allValues(ops, one.state.tensors)];
    for (const name of memory) expect(after[name]).toEqual(before[name]);
  });

  it('frees what it makes', async () => {
    const { ops, state } = await trained(optimizer, 1);
    const before = ops.memory().tensors;
    const read = positions.read(ops, state);
    const next = positions.write(ops, state, read);
    ops.dispose(read);
    ops.dispose(next.tensors);
    expect(ops.memory().tensors).toBe(before);
  });
});

describe('positions', () => {
  it('of lmd are its log medians', async () => {
    for (const stateFormat of ['f32', 'block16'] as const) {
      const optimizer = lmd({ stateFormat, learningRate: 0.1 });
      const { ops, state } = await trained(optimizer, 1);
      const read = await allValues(ops, optimizer.positions!.read(ops, state));
      expect(Object.keys(read)).toEqual(['w/logPlus', 'w/logMinus', 'b/logPlus', 'b/logMinus']);
      const { logPlus, logMinus } = lmdLogMedians(ops, state, 'w');
      expect(await allValues(ops, { 'w/logPlus': logPlus, 'w/logMinus': logMinus })).toEqual({
        'w/logPlus': read['w/logPlus'],
        'w/logMinus': read['w/logMinus'],
      });
    }
  });

  it('of a posterior are its mean and its spread', async () => {
    for (const [optimizer, names] of [
      [ivon({ effectiveSampleSize: 100 }), ['mean', 'hessian']],
      [lieGroupAffine(), ['location', 'logScale']],
    ] as const) {
      const { ops, state } = await trained(optimizer, 1);
      const expected = ['w', 'b'].flatMap((weight) => names.map((vector) => `${weight}/${vector}`));
      expect(Object.keys(optimizer.positions!.read(ops, state))).toEqual(expected);
    }
  });

  it('of normalized halves have a mean within their total, which the next step restores', async () => {
    const optimizer = exponentiatedGradient({ normalize: true });
    const ops = testOperations();
    const [one, other] = [await trained(optimizer, 1, ops), await trained(optimizer, 1, ops)];
    const steps = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? 3 : -3));
    const gradients = () => ({ w: ops.fromData(steps, [3, 4]), b: ops.fromData(steps, [3, 4]) });
    const moved = optimizer.update(ops, other.state, [pass(gradients(), 3)]);
    const [a, b] = [one.state, moved].map((state) => optimizer.positions!.read(ops, state));
    const means = Object.fromEntries(
      Object.keys(a!).map((name) => [name, ops.multiply(ops.add(a![name]!, b![name]!), 0.5)]),
    );
    const averaged = optimizer.positions!.write(ops, moved, means);
    const totalOf = async (state: typeof averaged) => {
      const { 'w/logPlus': plus, 'w/logMinus': minus } = await allValues(ops, state.tensors);
      return [...plus!, ...minus!].reduce((sum, value) => sum + Math.exp(value), 0);
    };
    const total = Math.exp((await allValues(ops, averaged.tensors))['w/logTotal']![0]!);
    expect(await totalOf(averaged)).toBeLessThan(0.99 * total);
    const next = optimizer.update(ops, averaged, [pass(gradients(), 4)]);
    expect(await totalOf(next)).toBeCloseTo(total, 4);
  });

  it('are refused if one is missing or of another shape', async () => {
    const optimizer = sgd({ learningRate: 0.1 });
    const { ops, state } = await trained(optimizer, 1);
    const read = optimizer.positions!.read(ops, state);
    const { 'b/weight': _, ...missing } = read;
    expect(() => optimizer.positions!.write(ops, state, missing)).toThrow('there is no position "b/weight"');
    const other = { ...read, 'b/weight': ops.zeros([2]) };
    expect(() => optimizer.positions!.write(ops, state, other)).toThrow('"b/weight" has shape [2], not [3,4]');
  });

  it('are absent where a mean of states is none', () => {
    expect(adamw({ weightFormat: 'bf16' }).positions).toBeUndefined();
    const groups = parameterGroups([
      { match: 'w', optimizer: adamw({ weightFormat: 'bf16' }) },
      { match: '*', optimizer: sgd({ learningRate: 0.1 }) },
    ]);
    expect(groups.positions).toBeUndefined();
  });
});
