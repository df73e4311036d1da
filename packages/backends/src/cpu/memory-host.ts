import { type DType, sizeOf, type Tensor } from '@lmd/core';
import type { Native } from '@lmd/native';
import type { Host } from '../host/host.js';
import { Arena } from './arena.js';
import { broadcast } from './movement.js';
import { addressLimit, type CheckedOptions } from './options.js';
import { TensorStore } from './tensor-store.js';
import type { ThreadPool } from './threads/pool.js';
import { grainOf, type Split } from './threads/split.js';
import type { WasmInstance } from './wasm/instance.js';
import type { KernelArguments, KernelName } from './wasm/kernels.js';

/** The backend's memory, with its kernels and addresses. */
export interface MemoryHost extends Host {
  readonly store: TensorStore;
  readonly arena: Arena;
  readonly threads: number;
  /** Whether the kernels multiply integers of one byte: relaxed SIMD has an instruction for it. */
  readonly bytesMultiply: boolean;
  /** Whether so many nanoseconds of work are worth sharing. */
  worthwhile(time: number): boolean;
  /** Runs a kernel over its range, on several threads where that pays. The bits do not depend on how many. */
  run<Name extends KernelName>(name: Name, split: Split, ...rest: KernelArguments<Name>): void;
  /** Native kernels, where they have taken the place of others. */
  readonly native: Native | undefined;
  address(x: Tensor): number;
  /** `x` repeated to a shape. */
  broadcast<Type extends DType>(x: Tensor<Type>, shape: readonly number[]): Tensor<Type>;
  /** Ends the threads; no operation works afterwards. */
  close(): void;
}

/** Ends the threads of backends that nobody can reach any more. The pool holds on to no host. */
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
    run(name, split, ...rest) {
      const { total } = split;
      if (total === 0) return;
      const grain = grainOf(split, threads, parallelThreshold);
      if (pool === undefined || grain >= total) {
        (kernels[name] as (from: number, to: number, ...rest: unknown[]) => void)(0, total, ...rest);
      } else pool.run(pool.indexOf(name), total, grain, (rest as unknown[]).map(Number));
    },
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
