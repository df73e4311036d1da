import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import { glyphBatch } from './glyphs.js';
import { lawOf } from './histogram.js';
import { createTrainer } from './trainer.js';

/** Marsaglia's xorshift32, so that a test sees the same glyphs every time. */
function uniformFrom(seed: number): () => number {
  let bits = seed;
  return () => {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    return (bits >>> 0) / 2 ** 32;
  };
}

it.each(['lmd', 'adamw'] as const)('%s learns the digits in MXFP4, and frees what it used', async (optimizer) => {
  const backend = await createCpuBackend({ threads: 1 });
  const ops = createOperations(backend);
  const uniform = uniformFrom(7);
  const trainer = await createTrainer(ops, { optimizer, format: 'mxfp4_e2m1', noise: 0.1, seed: 1 });
  const held = backend.memory().tensors;
  const losses: number[] = [];
  for (let step = 0; step < 200; step++) losses.push(await trainer.train(glyphBatch(32, uniform)));
  expect(losses[0]).toBeGreaterThan(2);
  const end = losses.slice(-10).reduce((sum, loss) => sum + loss) / 10;
  expect(end).toBeLessThan(1.2);
  expect(await trainer.accuracy(glyphBatch(200, uniform))).toBeGreaterThan(0.6);
  const magnitudes = await trainer.magnitudes();
  expect(magnitudes.shares.reduce((sum, share) => sum + share)).toBeCloseTo(1);
  expect(lawOf(magnitudes).reduce((sum, share) => sum + share)).toBeCloseTo(1, 1);
  expect(backend.memory().tensors).toBe(held);
  trainer.dispose();
  expect(backend.memory().tensors).toBe(0);
  backend.close?.();
});
