import { describe, expect, it } from 'vitest';
import { checkFinite, isLmdError } from '../index.js';
import { tensors, testOperations } from './test-support.js';

describe('checkFinite', () => {
  it.each([Number.NaN, Infinity, -Infinity])(
    'refuses %s by the name of its weight, and leaves nothing behind',
    async (bad) => {
      const ops = testOperations();
      const gradients = tensors(ops, { first: [1, -2], second: [0, bad, 3], third: [bad] });
      const before = ops.memory().tensors;
      const error = await checkFinite(ops, gradients).catch((thrown: unknown) => thrown);
      expect(isLmdError(error, 'NON_FINITE')).toBe(true);
      expect(String(error)).toMatch(/gradient of "second"/);
      expect(ops.memory().tensors).toBe(before);
    },
  );

  it('passes finite gradients, the largest of f32 included, and none at all', async () => {
    const ops = testOperations();
    await checkFinite(ops, tensors(ops, { w: [3.4e38, -3.4e38, 0] }));
    await checkFinite(ops, {});
  });
});
