import { type Primitives, type RandomKey, sizeOf } from '@lmd/core';
import { cpuElementwise } from './elementwise.js';
import { cpuIndexedRows } from './indexed-rows.js';
import { matmul } from './matmul.js';
import type { MemoryHost } from './memory-host.js';
import { cpuMovements } from './movement.js';
import { cpuReductions } from './reductions.js';
import { seedWords } from './seed-words.js';

/** Numbers of what a generator makes of its words in `assembly/random.ts`, and nanoseconds an element. */
const generators = {
  randomBits: { kind: 0, cost: 1.2 },
  randomUniform: { kind: 1, cost: 1.4 },
  randomNormal: { kind: 2, cost: 3 },
} as const;

/** All primitives: kernels in WebAssembly, and loops of ours over the same memory for a few shapes that a training step has none of. */
export function cpuPrimitives(host: MemoryHost): Primitives {
  const { store, address, make } = host;

  const random = (name: keyof typeof generators) => (shape: readonly number[], key: RandomKey) =>
    make(shape, name === 'randomBits' ? 'i32' : 'f32', (out) => {
      const { kind, cost } = generators[name];
      const [low, high] = seedWords(key);
      const split = { total: sizeOf(shape), unit: 16, cost };
      host.run('random', split, kind, address(out), key.stream, key.step, key.sample, low, high);
    });

  return {
    ...cpuElementwise(host),
    ...cpuMovements(host),
    ...cpuReductions(host),
    ...cpuIndexedRows(host),
    randomBits: random('randomBits'),
    randomUniform: random('randomUniform'),
    randomNormal: random('randomNormal'),

    fromData: (data, shape, dtype) => make(shape, dtype, (out) => host.view(out).set(data)),
    full: (shape, value, dtype) => make(shape, dtype, (out) => host.view(out).fill(value)),
    // A copy of its own, in memory that is not shared.
    read: async (x) => (x.dtype === 'u8' ? Uint8Array.from(host.integers(x)) : host.view(x).slice()),
    dispose: (x) => store.free(x),
    reshape: (x, shape) => store.share(x, shape),

    matmul: (a, b, transposeA, transposeB) => matmul(host, a, b, transposeA, transposeB),
  };
}
