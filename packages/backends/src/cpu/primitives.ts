import { type Primitives, sizeOf } from '@lmd/core';
import { hostPrimitives } from '../host/primitives.js';
import type { MemoryHost } from './memory-host.js';

/** All primitives: kernels in WebAssembly, and loops of ours over the same memory for what a training step spends little on. */
export function cpuPrimitives(host: MemoryHost): Primitives {
  const { store, kernels, address, make } = host;
  return {
    ...hostPrimitives(host),

    fromData: (data, shape, dtype) => make(shape, dtype, (out) => host.view(out).set(data)),
    full: (shape, value, dtype) => make(shape, dtype, (out) => host.view(out).fill(value)),
    read: async (x) => (x.dtype === 'u8' ? Uint8Array.from(host.integers(x)) : host.view(x).slice()),
    dispose: (x) => store.free(x),

    matmul(a, b, transposeA, transposeB) {
      const batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
      const k = a.shape[transposeA ? 1 : 2]!;
      let m = a.shape[transposeA ? 2 : 1]!;
      const n = b.shape[transposeB ? 1 : 2]!;
      return make([batch, m, n], 'f32', (out) => {
        if (sizeOf(out.shape) === 0) return;
        let batches = batch;
        // A right operand that all share makes the batch more rows of one product, unless each left operand is turned.
        if (b.shape[0] === 1 && (!transposeA || batch === 1)) {
          m *= batch;
          batches = 1;
        }
        const strideA = a.shape[0] === 1 ? 0 : m * k;
        const strideB = b.shape[0] === 1 ? 0 : k * n;
        kernels.matmul(
          address(a),
          address(b),
          address(out),
          batches,
          m,
          k,
          n,
          transposeA,
          transposeB,
          strideA,
          strideB,
        );
      });
    },
  };
}
