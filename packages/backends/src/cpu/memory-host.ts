import { type DType, sizeOf, type Tensor } from '@lmd/core';
import type { Host } from '../host/host.js';
import { Arena } from './arena.js';
import { addressLimit } from './options.js';
import { TensorStore } from './tensor-store.js';
import type { WasmInstance } from './wasm/instance.js';
import type { Kernels } from './wasm/kernels.js';

/** The backend's memory, with its kernels and addresses. */
export interface MemoryHost extends Host {
  readonly store: TensorStore;
  readonly arena: Arena;
  readonly kernels: Kernels;
  address(x: Tensor): number;
}

export function createMemoryHost(wasm: WasmInstance, memoryLimit: number | undefined): MemoryHost {
  const start = wasm.kernels.firstFree() >>> 0;
  const arena = new Arena(wasm.memory, start, Math.min(addressLimit, start + (memoryLimit ?? addressLimit)));
  const store = new TensorStore(arena);
  const host: MemoryHost = {
    store,
    arena,
    kernels: wasm.kernels,
    address: (x) => store.address(x),
    allocate: (shape, dtype) => store.allocate(shape, dtype),
    make(shape: readonly number[], dtype: DType, fill: (out: Tensor) => void) {
      const out = host.allocate(shape, dtype);
      fill(out);
      return out;
    },
    floats: (x) => new Float32Array(wasm.memory.buffer, store.address(x), sizeOf(x.shape)),
    integers: (x) => new Int32Array(wasm.memory.buffer, store.address(x), sizeOf(x.shape)),
    view: (x) => (x.dtype === 'f32' ? host.floats(x) : host.integers(x)),
  };
  return host;
}
