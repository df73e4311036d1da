import { describe, expect, it } from 'vitest';
import {
  adamw,
  disposeState,
  frozen,
  type LmdOptions,
  lmd,
  lmdLogMedians,
  lmdWeightNames,
  type OptimizerState,
  parameterGroups,
  stateBytes,
} from '../index.js';
import { allValues, expectClose, pass, randomNumbers, tensors, testOperations, values } from './test-support.js';

const pretrained = [0.5, -1.25, 0, 0.003, -2, 0.75, 1e-6, -0.04];
const ways: readonly (readonly [string, LmdOptions])[] = [
  ['floor', {}],
  ['hypentropy', { initialization: 'hypentropy' }],
  ['floor, prior about the weights', { priorMedian: 'initialWeights' }],
  ['hypentropy, prior about the weights', { initialization: 'hypentropy', priorMedian: 'initialWeights' }],
];

/** Steps with one gradient; the state before each is freed. */
async function steps(ops: ReturnType<typeof testOperations>, options: LmdOptions, gradient: number[], count: number) {
  const rule = lmd(options);
  let state: OptimizerState = await rule.init(ops, tensors(ops, { w: pretrained }));
  const g = tensors(ops, { w: gradient });
  for (let step = 0; step < count; step++) {
    const old = state;
    state = rule.update(ops, old, [pass(g, step)]);
    disposeState(ops, old);
  }
  return state;
}

describe.each(ways)('lmd from given weights, %s', (_, options) => {
  it('starts with them as the mean of its posterior', async () => {
    const ops = testOperations();
    for (const noise of [0, 0.05, 0.5]) {
      const rule = lmd({ ...options, noise });
      const state = await rule.init(ops, tensors(ops, { w: pretrained }));
      // The mean is a difference of two numbers of the floor's size or more, and exact to their last places.
      expectClose(await values(ops, rule.weights(ops, state, 'mean').w!), pretrained, 1e-6, 1e-6);
    }
  });

  it('draws them on average', async () => {
    const ops = testOperations();
    const rule = lmd({ ...options, noise: 0.3 });
    const size = 4000;
    const state = await rule.init(ops, { w: ops.concatenate([ops.full([size], 0.7), ops.full([size], -0.2)], 0) });
    const drawn = await values(ops, rule.draw(ops, state, { seed: 3, step: 0, sample: 0 }).w!);
    for (const [from, expected] of [
      [0, 0.7],
      [size, -0.2],
    ] as const) {
      const part = drawn.slice(from, from + size);
      const mean = part.reduce((sum, w) => sum + w, 0) / size;
      const deviation = Math.sqrt(part.reduce((sum, w) => sum + (w - mean) ** 2, 0) / size);
      expect(Math.abs(mean - expected)).toBeLessThan((4 * deviation) / Math.sqrt(size));
    }
  });

  it('is pulled, without gradients, to where its prior is', async () => {
    const ops = testOperations();
    const aboutWeights = options.priorMedian === 'initialWeights';
    const state = await steps(
      ops,
      { ...options, learningRate: 0.1, regularization: 1, noise: 0 },
      pretrained.map(() => 0),
      120,
    );
    const weights = await values(ops, lmd({ ...options, noise: 0 }).weights(ops, state).w!);
    expectClose(weights, aboutWeights ? pretrained : pretrained.map(() => 0), 1e-5, aboutWeights ? 2e-6 : 2e-4);
  });

  it('keeps within 1/λ of its prior, and comes there under a constant sign', async () => {
    const ops = testOperations();
    const gradient = pretrained.map((__, i) => (i % 2 === 0 ? 1 : -1));
    const state = await steps(ops, { ...options, learningRate: 0.05, regularization: 2, noise: 0.05 }, gradient, 200);
    const { logPlus, logPriorPlus } = lmdLogMedians(ops, state, 'w', options.initialization);
    const distances = await values(ops, ops.subtract(logPlus, logPriorPlus));
    expectClose(
      distances,
      gradient.map((g) => -g / 2),
      1e-4,
      1e-4,
    );
  });
});

describe('lmd from given weights', () => {
  it('hypentropy begins with equal products of the halves, floor with one half at the median of the prior', async () => {
    const ops = testOperations();
    const logsOf = async (options: LmdOptions) => {
      const state = await lmd({ ...options, noise: 0 }).init(ops, tensors(ops, { w: pretrained }));
      const { logPlus, logMinus, logPriorPlus } = lmdLogMedians(ops, state, 'w');
      return {
        plus: await values(ops, logPlus),
        minus: await values(ops, logMinus),
        prior: (await values(ops, logPriorPlus))[0]!,
      };
    };
    const even = await logsOf({ initialization: 'hypentropy' });
    expectClose(
      even.plus.map((l, i) => l + even.minus[i]!),
      pretrained.map(() => 2 * even.prior),
      1e-5,
      1e-5,
    );
    const floor = await logsOf({});
    expectClose(
      floor.plus.map((l, i) => Math.min(l, floor.minus[i]!)),
      pretrained.map(() => floor.prior),
      1e-6,
    );
  });

  it('with a prior about the weights and in codes, begins at the weights exactly: every code is 0', async () => {
    const ops = testOperations();
    const options: LmdOptions = { priorMedian: 'initialWeights', stateFormat: 'block8', gradientScaling: 'none' };
    const rule = lmd(options);
    const state = await rule.init(ops, tensors(ops, { w: pretrained }));
    expectClose(await values(ops, rule.weights(ops, state).w!), pretrained, 1e-6, 1e-6);
    expect(Object.keys(state.tensors).sort()).toEqual(
      ['codes', 'logMinusScale', 'logPlusScale', 'logPriorMedian', 'momentumPlusScale', 'priorWeight'].map(
        (n) => `w/${n}`,
      ),
    );
  });

  it('refuses a prior about the weights for the regularizers without a median of each', () => {
    for (const regularizer of ['powerPrior', 'exponentialPrior', 'halfNormalPrior'] as const) {
      expect(() => lmd({ priorMedian: 'initialWeights', regularizer })).toThrow(/priorMedian is "initialWeights" with/);
    }
    expect(() => lmd({ priorMedian: 'weights' as never })).toThrow(/priorMedian is "weights"/);
    expect(() => lmd({ initialization: 'zero' as never })).toThrow(/initialization is "zero".*floor, hypentropy/);
  });

  it('is named among the weights of a grouped state, and others are refused', async () => {
    const ops = testOperations();
    const rule = parameterGroups([
      { match: 'b', optimizer: adamw() },
      { match: '*', optimizer: lmd({ stateFormat: 'block16', priorMedianFloor: 0.5, noise: 0.05 }) },
    ]);
    const state = await rule.init(ops, tensors(ops, { 'a/w': [1, 2], b: [3] }));
    expect(lmdWeightNames(state)).toEqual(['a/w']);
    expectClose(await values(ops, ops.exp(lmdLogMedians(ops, state, 'a/w').logPriorPlus)), [
      0.5 * Math.sqrt(2.5) * Math.exp(-(0.05 ** 2) / 2),
    ]);
    expect(() => lmdLogMedians(ops, state, 'b')).toThrow(/no weight "b" of lmd/);
  });
});

describe('frozen', () => {
  it('keeps the weights of its group to the bit, with no other state, beside a group that learns', async () => {
    const ops = testOperations();
    const random = randomNumbers(3);
    const body = Array.from({ length: 6 }, () => Math.fround(random() - 0.5));
    const rule = parameterGroups([
      { match: /^head/, optimizer: lmd() },
      { match: '*', optimizer: frozen() },
    ]);
    let state = await rule.init(ops, tensors(ops, { head: [1, -1], body }));
    expect(stateBytes(state)).toBe(4 * 6 + 4 * (2 * 4 + 1));
    const gradients = tensors(ops, { head: [1, 1], body: body.map(() => 3) });
    for (let step = 0; step < 3; step++) state = rule.update(ops, state, [pass(gradients, step)]);
    for (const kind of ['mean', 'median', 'sample'] as const) {
      const weights = await allValues(ops, rule.weights(ops, state, kind, { seed: 1, step: 3, sample: 0 }));
      expect(weights.body).toEqual(body);
      expect(weights.head![0]).not.toBe(1);
    }
    expect((await allValues(ops, rule.draw(ops, state, { seed: 1, step: 3, sample: 0 }))).body).toEqual(body);
  });

  it('checks its gradients as other rules do', async () => {
    const ops = testOperations();
    const state = await frozen().init(ops, tensors(ops, { w: [1, 2] }));
    expect(() => frozen().update(ops, state, [pass(tensors(ops, { w: [1] }))])).toThrow(/gradient of "w" has shape/);
    expect(() => frozen().update(ops, state, [])).toThrow(/0 passes/);
  });
});
