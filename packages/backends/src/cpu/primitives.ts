import type { Primitives } from '@lmd/core';
import { cpuElementwise } from './elementwise.js';
import { cpuIndexedRows } from './indexed-rows.js';
import { matmul } from './matmul.js';
import type { MemoryHost } from './memory-host.js';
import { cpuMovements } from './movement.js';
import { cpuRandom } from './random.js';
import { cpuReductions } from './reductions.js';

/**
 * All primitives: kernels in WebAssembly, and host loops over the same memory for a few shapes that a training step
 * has none of.
 */
export function cpuPrimitives(host: MemoryHost): Primitives {
  const { store, make } = host;

  return {
    ...cpuElementwise(host),
    ...cpuMovements(host),
    ...cpuReductions(host),
    ...cpuIndexedRows(host),
    ...cpuRandom(host),

    fromData: (data, shape, dtype) => make(shape, dtype, (out) => host.view(out).set(data)),
    full: (shape, value, dtype) => make(shape, dtype, (out) => host.view(out).fill(value)),
    // A copy of its own, in memory that is not shared.
    read: async (x) => (x.dtype === 'u8' ? Uint8Array.from(host.integers(x)) : host.view(x).slice()),
    dispose: (x) => store.free(x),
    reshape: (x, shape) => store.share(x, shape),

    matmul: (a, b, transposeA, transposeB) => matmul(host, a, b, transposeA, transposeB),
  };
}
