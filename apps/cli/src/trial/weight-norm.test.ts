import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import { weightNorm } from './weight-norm.js';

it('is the norm of all weights, whatever the order of their names', async () => {
  const ops = createOperations(createReferenceBackend());
  const [a, b] = [ops.fromData([1, 2, 2], [3]), ops.fromData([4, 0, 0, 12], [2, 2])];
  expect(await weightNorm(ops, { a, b })).toBe(13);
  expect(await weightNorm(ops, { b, a })).toBe(13);
  expect(await weightNorm(ops, { a: ops.fromData([1e30], [1]) })).toBeCloseTo(1e30, -24);
});
