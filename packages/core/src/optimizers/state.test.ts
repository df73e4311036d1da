import { describe, expect, it } from 'vitest';
import { adamw, disposeState, exponentiatedGradient, lion, lmd, parameterGroups, stateBytes } from '../index.js';
import { allValues, tensors, testOperations } from './test-support.js';

describe('state helpers', () => {
  it('count the bytes of all tensors', () => {
    const ops = testOperations();
    const state = {
      step: 3,
      tensors: {
        'w/a': ops.zeros([3, 5]),
        'w/b': ops.zeros([]),
        'w/c': ops.zeros([7], 'i32'),
        'w/d': ops.zeros([9], 'u8'),
      },
    };
    expect(stateBytes(state)).toBe(60 + 4 + 28 + 9);
    expect(stateBytes({ step: 0, tensors: {} })).toBe(0);
  });

  it('tell the state of another rule from its own', async () => {
    const ops = testOperations();
    const state = await adamw().init(ops, tensors(ops, { w: [1] }));
    const key = { seed: 1, step: 0, sample: 0 };
    expect(() => lmd().draw(ops, state, key)).toThrow(
      /lmd: the state's tensor "w\/weight" does not belong to this optimizer/,
    );
    const empty = { step: 0, tensors: {} };
    expect(() => lmd().draw(ops, empty, key)).toThrow(/lmd: the state has no tensor named "<weight>\/logPlus"/);
    const groups = parameterGroups([{ match: '*', optimizer: adamw() }]);
    expect(() => groups.draw(ops, { step: 0, tensors: tensors(ops, { w: [1] }) }, key)).toThrow(
      /"w" does not name a weight/,
    );
  });

  it('are the same from scales that the caller found', async () => {
    const ops = testOperations();
    const weights = tensors(ops, { w: [3, -4, 0, 0] });
    const scales = new Map([['w', 2.5]]);
    for (const rule of [lmd(), lion(), adamw(), exponentiatedGradient()]) {
      const [found, given] = [await rule.init(ops, weights), rule.initFromScales!(ops, weights, scales)];
      expect(given.step).toBe(0);
      expect(await allValues(ops, given.tensors)).toEqual(await allValues(ops, found.tensors));
    }
    for (const scale of [new Map([['v', 1]]), new Map([['w', 0]])]) {
      expect(() => lmd().initFromScales!(ops, weights, scale)).toThrow(/the initial weights "w" have root mean square/);
    }
    expect(() => lmd().initFromScales!(ops, {}, scales)).toThrow(/no weights/);
  });

  it('free a state, once', () => {
    const ops = testOperations();
    const state = { step: 0, tensors: tensors(ops, { 'w/a': [1], 'w/b': [2] }) };
    disposeState(ops, state);
    expect(ops.memory().tensors).toBe(0);
    expect(() => disposeState(ops, state)).toThrow(expect.objectContaining({ code: 'TENSOR_DISPOSED' }));
  });
});
