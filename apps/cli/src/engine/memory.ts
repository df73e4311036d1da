import { totalmem } from 'node:os';
import type { BackendChoice } from '../configuration/backend-schema.js';

/** Bytes that a 32-bit WebAssembly memory can address. */
const wasmBytes = 2 ** 32;

/**
 * Upper bound of the bytes that a backend can hold here: what WebAssembly addresses, or the machine's memory. Infinite
 * for a GPU and for a module, whose memory size is unknown.
 */
export function memoryLimit(backend: BackendChoice): number {
  if (typeof backend !== 'string') return Number.POSITIVE_INFINITY;
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
