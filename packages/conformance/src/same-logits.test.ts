import { createCpuBackend } from '@lmd/backends/cpu';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createWebgpuBackend } from '@lmd/backends/webgpu';
import { type Backend, isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { expectedHash, hashOfLogits, recordRun } from './testing/logits-of-a-run.js';

const backends: readonly (readonly [string, () => Backend | Promise<Backend>])[] = [
  ['reference', () => createReferenceBackend()],
  ['WebAssembly without relaxed SIMD', () => createCpuBackend({ native: 'off', arithmetic: 'strict' })],
  [
    'WebAssembly without relaxed SIMD, one thread',
    () => createCpuBackend({ native: 'off', arithmetic: 'strict', threads: 1 }),
  ],
  ['WebAssembly with relaxed SIMD', () => createCpuBackend({ native: 'off', arithmetic: 'fused' })],
  ['native kernels', () => createCpuBackend({ native: 'require' })],
  ['WebGPU', () => createWebgpuBackend()],
];

describe('200 steps of a stack of quantized products', async () => {
  const run = await recordRun();

  it('train: the first weights and the last ones differ', () => {
    expect(run.weights).toHaveLength(200);
    expect(run.weights.at(-1)).not.toEqual(run.weights[0]);
  });

  it.for(backends)('have the same logits on %s', async ([, create], test) => {
    const backend = await Promise.resolve(create()).catch((error: unknown) => error);
    // Node 20 has no relaxed SIMD, and not every machine has native kernels or WebGPU.
    if (isLmdError(backend, 'UNSUPPORTED') || isLmdError(backend, 'ENGINE_MISSING')) return test.skip(backend.message);
    if (backend instanceof Error) throw backend;
    const opened = backend as Backend;
    expect(await hashOfLogits(opened, run)).toBe(expectedHash);
    opened.close?.();
  });
});
