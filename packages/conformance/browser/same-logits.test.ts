import { createCpuBackend } from '@lmd/backends/cpu';
import { createWebgpuBackend } from '@lmd/backends/webgpu';
import { expect, it } from 'vitest';
import { expectedHash, hashOfLogits, recordRun } from '../src/testing/logits-of-a-run.js';

it('gives the logits of every other engine for a run of 200 steps', async () => {
  const run = await recordRun();
  for (const create of [createWebgpuBackend, createCpuBackend]) {
    const backend = await create();
    expect(await hashOfLogits(backend, run), backend.device).toBe(expectedHash);
    backend.close?.();
  }
});
