import { type Primitives, type RandomKey, sizeOf, type Tensor } from '@lmd/core';
import { hostPrimitives } from '../host/primitives.js';
import { withoutAxes } from '../strided-offsets.js';
import { cpuElementwise } from './elementwise.js';
import type { MemoryHost } from './memory-host.js';
import { cpuMovements } from './movement.js';
import { seedWords } from './seed-words.js';

/** Numbers of what a generator makes of its words in `assembly/random.ts`. */
const generators = { randomBits: 0, randomUniform: 1, randomNormal: 2 } as const;

/** All primitives: kernels in WebAssembly, and loops of ours over the same memory for what a training step spends little on. */
export function cpuPrimitives(host: MemoryHost): Primitives {
  const { store, kernels, address, make } = host;
  const byHost = hostPrimitives(host);

  const random = (name: keyof typeof generators) => (shape: readonly number[], key: RandomKey) =>
    make(shape, name === 'randomBits' ? 'i32' : 'f32', (out) => {
      const [low, high] = seedWords(key);
      kernels.random(generators[name], address(out), sizeOf(shape), key.stream, key.step, key.sample, low, high);
    });

  return {
    ...byHost,
    ...cpuElementwise(host),
    ...cpuMovements(host),
    randomBits: random('randomBits'),
    randomUniform: random('randomUniform'),
    randomNormal: random('randomNormal'),

    fromData: (data, shape, dtype) => make(shape, dtype, (out) => host.view(out).set(data)),
    full: (shape, value, dtype) => make(shape, dtype, (out) => host.view(out).fill(value)),
    read: async (x) => (x.dtype === 'u8' ? Uint8Array.from(host.integers(x)) : host.view(x).slice()),
    dispose: (x) => store.free(x),

    sum(x, axes) {
      const kept = withoutAxes(x.shape, axes);
      const leading = axes.every((axis, i) => axis === i);
      const trailing = axes.every((axis, i) => axis === kept.length + i);
      if (x.dtype !== 'f32' || !(leading || trailing)) return byHost.sum(x, axes);
      return make(kept, 'f32', (out) => {
        const count = sizeOf(kept);
        if (count === 0) return;
        const terms = sizeOf(axes.map((axis) => x.shape[axis]!));
        if (trailing) kernels.sumRows(address(x), address(out), count, terms);
        else kernels.sumColumns(address(x), address(out), terms, count);
      });
    },

    matmul: (a, b, transposeA, transposeB) => matmul(host, a, b, transposeA, transposeB),
  };
}

function matmul(host: MemoryHost, a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const { kernels, address } = host;
  const batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
  const k = a.shape[transposeA ? 1 : 2]!;
  const m = a.shape[transposeA ? 2 : 1]!;
  const n = b.shape[transposeB ? 1 : 2]!;
  return host.make([batch, m, n], 'f32', (out) => {
    if (sizeOf(out.shape) === 0) return;
    // A right operand that all share makes the batch more rows of one product, unless each left operand is turned.
    const joined = b.shape[0] === 1 && !transposeA;
    const batches = joined ? 1 : batch;
    const rows = joined ? m * batch : m;
    const strideA = a.shape[0] === 1 ? 0 : m * k;
    const strideB = b.shape[0] === 1 ? 0 : k * n;
    kernels.matmul(address(a), address(b), address(out), batches, rows, k, n, transposeA, transposeB, strideA, strideB);
  });
}
