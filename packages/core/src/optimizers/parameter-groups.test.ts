import { describe, expect, it } from 'vitest';
import { adamw, disposeState, lmd, type Optimizer, parameterGroups } from '../index.js';
import { allValues, expectClose, pass, reloaded, tensors, testOperations, values } from './test-support.js';

const key = { seed: 1, step: 0, sample: 0 };
const initial = { 'block.weight': [0.5, -1], 'block.bias': [0, 0], 'head.weight': [1, 2], 'head.bias': [0] };

const groups = (samples = 1, matrices = lmd({ learningRate: 0.01, samples })) =>
  parameterGroups([
    { match: /\.weight$/, optimizer: matrices },
    { match: '*', optimizer: adamw({ learningRate: 0.1 }) },
  ]);

describe('parameterGroups', () => {
  it('gives each weight to the first group that matches it', async () => {
    const ops = testOperations();
    const state = await groups().init(ops, tensors(ops, initial));
    expect(Object.keys(state.tensors).sort()).toEqual(
      [
        ...['block.bias', 'head.bias'].flatMap((name) =>
          ['weight', 'firstMoment', 'secondMoment'].map((vector) => `${name}/${vector}`),
        ),
        ...['block.weight', 'head.weight'].flatMap((name) =>
          ['logPlus', 'logMinus', 'momentumPlus', 'momentumMinus', 'logPriorMedian'].map(
            (vector) => `${name}/${vector}`,
          ),
        ),
      ].sort(),
    );
  });

  it('matches by exact name, pattern, predicate and star', async () => {
    const ops = testOperations();
    const seen: [string, readonly number[]][] = [];
    const tagged = (name: string): Optimizer => ({
      ...adamw(),
      name,
      init: async (inner, weights) => ({
        step: 0,
        tensors: Object.fromEntries(Object.keys(weights).map((weight) => [`${weight}/${name}`, inner.zeros([])])),
      }),
    });
    const rule = parameterGroups([
      { match: 'head.weight', optimizer: tagged('exact') },
      // Global patterns keep a position between tests; that must not change what they match.
      { match: /weight/g, optimizer: tagged('pattern') },
      {
        match: (name, shape) => {
          seen.push([name, shape]);
          return shape[0] === 2;
        },
        optimizer: tagged('predicate'),
      },
      { match: '*', optimizer: tagged('star') },
    ]);
    const state = await rule.init(ops, tensors(ops, { ...initial, 'tail.weight': [1], 'head.weight2': [1, 1] }));
    expect(Object.keys(state.tensors).sort()).toEqual([
      'block.bias/predicate',
      'block.weight/pattern',
      'head.bias/star',
      'head.weight/exact',
      'head.weight2/pattern',
      'tail.weight/pattern',
    ]);
    expect(seen).toEqual([
      ['block.bias', [2]],
      ['head.bias', [1]],
    ]);
  });

  it('steps every group as it would step alone, and counts once', async () => {
    const ops = testOperations();
    const gradients = { 'block.weight': [1, -2], 'block.bias': [1, 1], 'head.weight': [0.5, 0], 'head.bias': [3] };
    const rule = groups();
    let state = await rule.init(ops, tensors(ops, initial));
    const alone = lmd({ learningRate: 0.01 });
    let aloneState = await alone.init(ops, tensors(ops, { 'block.weight': [0.5, -1], 'head.weight': [1, 2] }));
    for (let step = 0; step < 3; step++) {
      state = rule.update(ops, state, [pass(tensors(ops, gradients), step)]);
      const { 'block.weight': block, 'head.weight': head } = gradients;
      aloneState = alone.update(ops, aloneState, [
        pass(tensors(ops, { 'block.weight': block, 'head.weight': head }), step),
      ]);
    }
    expect(state.step).toBe(3);
    expect(await allValues(ops, state.tensors)).toMatchObject(await allValues(ops, aloneState.tensors));
    expectClose(await values(ops, state.tensors['head.bias/weight']!), [-0.3], 1e-3);
  });

  it('splits a state from a checkpoint without init, by the shape of the weight', async () => {
    const ops = testOperations();
    const byShape = parameterGroups([
      { match: (_, shape) => shape.length === 2, optimizer: lmd() },
      { match: '*', optimizer: adamw() },
    ]);
    const weights = {
      matrix: ops.fromData([1, 2, 3, 4], [2, 2]),
      bias: ops.fromData([0, 0]),
      unit: ops.fromData([1], [1, 1]),
    };
    const state = await byShape.init(ops, weights);
    const fresh = testOperations();
    const copy = await reloaded(ops, state, fresh);
    expect(await allValues(fresh, byShape.draw(fresh, copy, key))).toEqual(
      await allValues(ops, byShape.draw(ops, state, key)),
    );
    // The order of a state's tensors carries no meaning.
    const reversed = { step: 0, tensors: Object.fromEntries(Object.entries(copy.tensors).reverse()) };
    expect(Object.keys(byShape.weights(fresh, reversed)).sort()).toEqual(['bias', 'matrix', 'unit']);
  });

  it('averages over the passes where a group has one sample and another several', async () => {
    const ops = testOperations();
    const rule = groups(2);
    expect(rule.samples).toBe(2);
    const state = await rule.init(ops, tensors(ops, initial));
    const gradients = (bias: number) =>
      tensors(ops, { 'block.weight': [1, 1], 'block.bias': [bias, 0], 'head.weight': [1, 1], 'head.bias': [bias] });
    const next = rule.update(ops, state, [pass(gradients(1), 0, 0), pass(gradients(3), 0, 1)]);
    expectClose(await values(ops, next.tensors['block.bias/firstMoment']!), [0.2, 0], 1e-6);
    expect(() => rule.update(ops, state, [pass(gradients(1))])).toThrow(/1 passes for 2 samples/);
  });

  it('passes the kind of weights and the key on', async () => {
    const ops = testOperations();
    const rule = groups(1, lmd({ noise: 0.5 }));
    const state = await rule.init(ops, tensors(ops, initial));
    expectClose((await allValues(ops, rule.weights(ops, state)))['head.weight']!, [1, 2]);
    expectClose(
      (await allValues(ops, rule.weights(ops, state, 'median')))['head.weight']!,
      [1, 2].map((w) => w * Math.exp(-0.125)),
    );
    const sample = await allValues(ops, rule.weights(ops, state, 'sample', key));
    expect(sample['head.weight']).not.toEqual([1, 2]);
    expect(sample['head.bias']).toEqual([0]);
    expect(() => rule.weights(ops, state, 'sample')).toThrow(/need a key/);
  });

  it('leaks nothing, also where a group refuses its weights', async () => {
    const ops = testOperations();
    const weights = tensors(ops, initial);
    const rule = groups();
    const state = await rule.init(ops, weights);
    const held = 4 + 2 * 3 + 2 * 5;
    expect(ops.memory().tensors).toBe(held);
    const next = rule.update(ops, state, [pass(weights)]);
    const drawn = rule.draw(ops, next, key);
    expect(ops.memory().tensors).toBe(held + 16 + 4);
    ops.dispose(drawn);
    disposeState(ops, state);
    disposeState(ops, next);
    expect(ops.memory().tensors).toBe(4);
    const wrong = parameterGroups([
      { match: 'head.bias', optimizer: adamw() },
      { match: '*', optimizer: lmd() },
    ]);
    await expect(wrong.init(ops, weights)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'block.bias' });
    expect(ops.memory().tensors).toBe(4);
  });

  it('names a weight without a group, and a group without a weight', async () => {
    const ops = testOperations();
    const weights = tensors(ops, initial);
    const init = (...matches: (string | RegExp)[]) =>
      parameterGroups(matches.map((match) => ({ match, optimizer: adamw() }))).init(ops, weights);
    await expect(init(/weight/)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'block.bias' });
    await expect(init(/wieght/, '*')).rejects.toThrow(/group 0 \(\/wieght\/, adamw\) matches no weight.*block\.weight/);
    await expect(init('*', /weight/)).rejects.toThrow(/group 1 .*move the group before/);
  });

  it('names a gradient of a weight that it does not hold', async () => {
    const ops = testOperations();
    const rule = groups();
    const state = await rule.init(ops, tensors(ops, initial));
    const gradients = tensors(ops, { ...initial, stray: [1] });
    expect(() => rule.update(ops, state, [pass(gradients)])).toThrow(/a gradient for "stray"/);
  });

  it('refuses groups that cannot work', () => {
    const optimizer = adamw();
    expect(() => parameterGroups([])).toThrow(/at least one/);
    expect(() => parameterGroups([{ match: '*', rule: optimizer } as never])).toThrow(/no option "rule"/);
    expect(() => parameterGroups([{ match: 3, optimizer } as never])).toThrow(/match of group 0 is 3/);
    expect(() => parameterGroups([{ match: '*', optimizer: 'adamw' } as never])).toThrow(
      /optimizer of group 0 is "adamw"/,
    );
    expect(() =>
      parameterGroups([
        { match: 'a', optimizer: lmd({ samples: 2 }) },
        { match: '*', optimizer: lmd({ samples: 3 }) },
      ]),
    ).toThrow(/2 samples per step and lmd uses 3/);
  });

  it('finds out a rule that counts its steps differently', async () => {
    const ops = testOperations();
    const broken: Optimizer = {
      ...adamw(),
      update: (inner, state, passes) => ({ ...adamw().update(inner, state, passes), step: 7 }),
    };
    const rule = parameterGroups([{ match: '*', optimizer: broken }]);
    const state = await rule.init(ops, tensors(ops, { w: [1] }));
    expect(() => rule.update(ops, state, [pass(tensors(ops, { w: [1] }))])).toThrow(/counted from step 0 to 7/);
  });
});
