import { totalmem } from 'node:os';
import type { BackendName } from './names.js';

/** Bytes that a 32-bit WebAssembly memory can address. */
const wasmBytes = 2 ** 32;

/**
 * Upper bound of the bytes that a backend can hold here: what WebAssembly addresses, or the machine's memory. Infinite
 * for a GPU, whose memory size is unknown.
 */
export function memoryLimit(backend: BackendName): number {
  switch (backend) {
    case 'cpu':
    case 'tfjs-wasm':
      return Math.min(wasmBytes, totalmem());
    case 'webgpu':
    case 'tfjs-node-gpu':
      return Number.POSITIVE_INFINITY;
    default:
      return totalmem();
  }
}
