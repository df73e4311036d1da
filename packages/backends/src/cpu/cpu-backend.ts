import type { Backend, Tensor, TensorData } from '@lmd/core';
import { backendMarker } from '../made-by.js';
import { createMemoryHost } from './create-memory-host.js';
import { cpuFused } from './fused.js';
import { integerProductsOf } from './integer-products.js';
import { type NativeUse, openNative } from './native.js';
import { type CpuBackendOptions, checkedOptions } from './options.js';
import { cpuPrimitives } from './primitives.js';
import { startWasm, type WasmInstance } from './wasm/instance.js';

export interface CpuBackend extends Backend {
  /**
   * The memory that tensors live in: bytes of the blocks in use; bytes that ever were, which are used again; and bytes
   * taken from the system, which are never given back.
   */
  arena(): { readonly heldBytes: number; readonly usedBytes: number; readonly reservedBytes: number };
  /** `read`, at once: an operation has run when it returns. */
  readSync(x: Tensor): TensorData;
  /** The level of the native kernels in use, such as `'avx2'`; without any, why. */
  readonly native: NativeUse;
  /**
   * How exact products of block formats multiply their integers, for the user to read:
   * `products of i16, 256 bits (vpmaddwd)`.
   */
  readonly integerProducts: string;
  close(): void;
}

/**
 * A backend that needs nothing but WebAssembly with SIMD: kernels of our own, on a memory of their own. An operation
 * has run when it returns; this thread and workers share it. Workers start with the first operation that is worth it,
 * do not keep a process alive, and end with `close`.
 *
 * @throws LmdError `ENGINE_MISSING`, `UNSUPPORTED` (threads), `BACKEND_FAILURE` (no memory), `UNKNOWN_OPTION`,
 *   `INVALID_ARGUMENT`
 */
export async function createCpuBackend(options: CpuBackendOptions = {}): Promise<CpuBackend> {
  const checked = checkedOptions(options);
  const native = await openNative(checked);
  const wasm = await startWasm(checked.arithmetic, checked.threads, {
    memoryLimit: checked.memoryLimit,
    native: native.kernels,
  });
  const host = createMemoryHost(wasm, checked);
  const primitives = cpuPrimitives(host);
  return {
    ...backendMarker,
    name: 'cpu',
    device: deviceOf(wasm, checked.threads, native.levelName),
    native: native.use,
    integerProducts: integerProductsOf(wasm),
    supports: { maxElements: 2 ** 29 - 1, subnormals: true },
    ...host.store.whole(primitives),
    fused: host.store.whole(cpuFused(host, primitives)),
    memory: () => host.store.memory(),
    arena: () => ({ heldBytes: host.arena.held, usedBytes: host.arena.used, reservedBytes: host.arena.reserved }),
    readSync: (x) => (x.dtype === 'u8' ? Uint8Array.from(host.integers(x)) : host.view(x).slice()),
    readInto: (x, into) => into.set(x.dtype === 'u8' ? host.integers(x) : host.view(x)),
    close: () => host.close(),
  };
}

function deviceOf({ arithmetic, native }: WasmInstance, threads: number, levelName: string | undefined): string {
  const own = `WebAssembly SIMD, ${arithmetic} multiply-add, ${threads === 1 ? 'one thread' : `${threads} threads`}`;
  if (native === undefined) return own;
  return `${own}; native products by ${levelName}, ${native.arithmetic} multiply-add`;
}
