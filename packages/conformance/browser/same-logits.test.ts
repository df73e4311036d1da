import { createCpuBackend } from '@lmd/backends/cpu';
import { createWebgpuBackend } from '@lmd/backends/webgpu';
import type { Backend } from '@lmd/core';
import { expect, it } from 'vitest';
import { expectedHash, hashOfLogits, recordRun } from '../src/testing/logits-of-a-run.js';

const run = recordRun();

/** In a page that is not isolated, threads and shared memory are out of reach; relaxed SIMD is not. */
const backends: readonly (readonly [string, () => Promise<Backend>])[] = [
  ['WebGPU', () => createWebgpuBackend()],
  ['WebAssembly with relaxed SIMD', () => createCpuBackend({ arithmetic: 'fused' })],
  ['WebAssembly without relaxed SIMD', () => createCpuBackend({ arithmetic: 'strict' })],
];

it.each(backends)('200 steps have the logits of every other engine on %s', async (_, create) => {
  const backend = await create();
  expect(await hashOfLogits(backend, await run), backend.device).toBe(expectedHash);
  backend.close?.();
});
