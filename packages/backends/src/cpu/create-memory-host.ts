import { sizeOf } from '@lmd/core';
import { Arena } from './arena.js';
import type { MemoryHost } from './memory-host.js';
import { broadcast } from './movement.js';
import { addressLimit, type CheckedOptions } from './options.js';
import { TensorStore } from './tensor-store.js';
import type { RangedKernel } from './threads/chunks.js';
import type { ThreadPool } from './threads/pool.js';
import { grainOf } from './threads/split.js';
import type { WasmInstance } from './wasm/instance.js';
import { argumentOrder } from './wasm/kernels.js';

/** Ends the threads of garbage-collected backends. The pool keeps no reference to a host. */
const unreachable = new FinalizationRegistry<ThreadPool>((pool) => pool.close());

export function createMemoryHost(wasm: WasmInstance, options: CheckedOptions): MemoryHost {
  const { memoryLimit, parallelThreshold } = options;
  const { kernels, memory, native, pool, firstFree } = wasm;
  const arena = new Arena(memory, firstFree, Math.min(addressLimit, firstFree + (memoryLimit ?? addressLimit)));
  const store = new TensorStore(arena);
  const threads = pool?.threads ?? 1;
  const host: MemoryHost = {
    store,
    arena,
    threads,
    native,
    bytesMultiply: wasm.arithmetic === 'fused',
    worthwhile: (time) => time >= 1000 * parallelThreshold,
    run(name, split, named) {
      const { total } = split;
      if (total === 0) return;
      const rest = argumentOrder[name](named);
      const grain = grainOf(split, threads, parallelThreshold);
      if (pool === undefined || grain >= total) (kernels[name] as RangedKernel)(0, total, ...rest);
      else pool.run(pool.indexOf(name), total, grain, rest);
    },
    has: (name) => kernels[name] !== undefined,
    address: (x) => store.address(x),
    allocate: (shape, dtype) => store.allocate(shape, dtype),
    make(shape, dtype, fill) {
      const out = host.allocate(shape, dtype);
      fill(out);
      return out;
    },
    floats: (x) => new Float32Array(memory.buffer, store.address(x), sizeOf(x.shape)),
    integers: (x) => new Int32Array(memory.buffer, store.address(x), sizeOf(x.shape)),
    view: (x) => (x.dtype === 'f32' ? host.floats(x) : host.integers(x)),
    broadcast: (x, shape) => broadcast(host, x, shape),
    close() {
      pool?.close();
      store.close();
    },
  };
  if (pool !== undefined) unreachable.register(host, pool);
  return host;
}
