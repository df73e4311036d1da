import { type Backend, backendSpecVersion } from '@lmd/core';
import { cpuFused } from './fused.js';
import { createMemoryHost } from './memory-host.js';
import { type CpuBackendOptions, checkedOptions } from './options.js';
import { cpuPrimitives } from './primitives.js';
import { startWasm } from './wasm/instance.js';

/**
 * A backend that needs nothing but WebAssembly with SIMD: kernels of our own, on a memory of their own. It computes at once, in
 * this thread.
 *
 * @throws LmdError `ENGINE_MISSING`, `UNKNOWN_OPTION`, `INVALID_ARGUMENT`
 */
export async function createCpuBackend(options: CpuBackendOptions = {}): Promise<Backend> {
  const { arithmetic, memoryLimit } = checkedOptions(options);
  const wasm = await startWasm(arithmetic);
  const host = createMemoryHost(wasm, memoryLimit);
  const primitives = cpuPrimitives(host);
  return {
    specVersion: backendSpecVersion,
    name: 'cpu',
    device: `WebAssembly SIMD, ${wasm.arithmetic} multiply-add, one thread`,
    supports: { maxElements: 2 ** 29 - 1, subnormals: true },
    ...primitives,
    fused: cpuFused(host, primitives),
    memory: () => host.store.memory(),
  };
}
