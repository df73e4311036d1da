import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import { trainStripes } from './index.js';

it('learns, gives the same losses for the same seed, and leaves no tensor behind', async () => {
  const ops = createOperations(createReferenceBackend());
  const losses = await trainStripes(ops, 20, 1);
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  expect(await trainStripes(ops, 20, 1)).toEqual(losses);
  expect(ops.memory().tensors).toBe(0);
});
