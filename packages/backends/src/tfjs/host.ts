import { sizeOf } from '@lmd/core';
import type { Host } from '../host/host.js';
import type { HostMemory } from './host-memory.js';
import { engineDType, type Store } from './store.js';

/** With the store by its own type. */
export interface EngineHost extends Host {
  readonly store: Store;
}

/** A host on an engine's memory, with the adapter's handles. */
export function createHost(memory: HostMemory, store: Store): EngineHost {
  const host: EngineHost = {
    store,
    allocate: (shape, dtype) => store.own(memory.allocate(sizeOf(shape), engineDType[dtype]), shape, dtype),
    make(shape, dtype, fill) {
      const out = host.allocate(shape, dtype);
      try {
        fill(out);
      } catch (error) {
        // Such as an operand that was disposed or belongs to another backend.
        store.free(out);
        throw error;
      }
      return out;
    },
    floats: (x) => memory.floats(store.dataId(x), sizeOf(x.shape)),
    integers: (x) => memory.integers(store.dataId(x), sizeOf(x.shape)),
    view: (x) => (x.dtype === 'f32' ? host.floats(x) : host.integers(x)),
  };
  return host;
}
