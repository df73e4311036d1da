import { LmdError } from '@lmd/core';
import type { HostArray } from '../host-kernels/strided.js';
import type { Engine, EngineBackend } from './engine.js';

/**
 * Storage of an engine whose memory this thread can see, so that our own loops read and write it in place. A view is
 * good until the next allocation: WebAssembly memory that grows detaches the views on it. So allocate all results
 * first, then take views.
 */
export interface HostMemory {
  /** Storage with undefined contents. */
  allocate(size: number, dtype: 'float32' | 'int32'): object;
  floats(dataId: object, size: number): Float32Array;
  integers(dataId: object, size: number): Int32Array;
}

/** The memory of the wasm and cpu backends; undefined for every other engine. */
export function hostMemoryOf(engine: Engine): HostMemory | undefined {
  if (isWasm(engine)) return wasmMemory(engine);
  if (engine.name === 'cpu' && 'data' in engine.backend) return cpuMemory(engine);
  return undefined;
}

/** Detected by its fields: a later version may keep the name and change the fields. */
export function isWasm(engine: Engine): engine is Engine & { readonly backend: BackendWasm } {
  const backend = engine.backend as Partial<BackendWasm>;
  return engine.name === 'wasm' && backend.wasm?.HEAPU8 !== undefined && backend.dataIdMap !== undefined;
}

/** What `BackendWasm` of @tensorflow/tfjs-backend-wasm 4.x has beyond `KernelBackend`, as far as it is used here. */
export interface BackendWasm extends EngineBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    readonly HEAP32: Int32Array;
    _malloc(bytes: number): number;
    cwrap(name: string, result: null, parameters: readonly 'number'[]): (...args: number[]) => void;
    readonly tfjs: {
      registerTensor(id: number, size: number, offset: number): void;
      disposeData(id: number): void;
    };
  };
  /** Counts up; each registered tensor has a number of its own. */
  dataIdNextNumber: number;
  readonly dataIdMap: {
    get(dataId: object): { readonly id: number; readonly memoryOffset: number };
    delete(dataId: object): unknown;
  };
}

function wasmMemory({ backend }: { readonly backend: BackendWasm }): HostMemory {
  const offsetOf = (dataId: object) => backend.dataIdMap.get(dataId).memoryOffset;
  return {
    allocate(size, dtype) {
      // The engine checks neither: a size is taken modulo 2^32, and a malloc that fails gives 0, over which every later
      // kernel would write.
      if (4 * size >= 2 ** 32) throw memoryFull(size);
      const dataId = backend.write(null, [size], dtype);
      if (size > 0 && offsetOf(dataId) === 0) {
        backend.dataIdMap.delete(dataId);
        throw memoryFull(size);
      }
      return dataId;
    },
    floats: (dataId, size) => new Float32Array(backend.wasm.HEAPU8.buffer, offsetOf(dataId), size),
    integers: (dataId, size) => new Int32Array(backend.wasm.HEAPU8.buffer, offsetOf(dataId), size),
  };
}

function memoryFull(size: number): LmdError {
  return new LmdError('BACKEND_FAILURE', `WebAssembly memory is full: ${4 * size} more bytes do not fit.`, {
    subject: 'memory',
    value: 4 * size,
    remedy: 'Use a smaller batch or model; a wasm engine has at most 4 GiB.',
  });
}

/** What `MathBackendCPU` has beyond `KernelBackend`. */
interface BackendCpu {
  readonly data: { get(dataId: object): { readonly values: HostArray } };
}

function cpuMemory(engine: Engine): HostMemory {
  const backend = engine.backend as unknown as BackendCpu;
  return {
    allocate(size, dtype) {
      const values = dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
      return engine.backend.write(values, [size], dtype);
    },
    floats: (dataId) => backend.data.get(dataId).values as Float32Array,
    integers: (dataId) => backend.data.get(dataId).values as Int32Array,
  };
}
