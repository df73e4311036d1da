import { describe, expect, it } from 'vitest';
import { disposeState, stateBytes } from '../index.js';
import { tensors, testOperations } from './test-support.js';

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

  it('free a state, once', () => {
    const ops = testOperations();
    const state = { step: 0, tensors: tensors(ops, { 'w/a': [1], 'w/b': [2] }) };
    disposeState(ops, state);
    expect(ops.memory().tensors).toBe(0);
    expect(() => disposeState(ops, state)).toThrow(expect.objectContaining({ code: 'TENSOR_DISPOSED' }));
  });
});
