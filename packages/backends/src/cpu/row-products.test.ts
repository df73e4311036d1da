import { createOperations } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from './cpu-backend.js';

const key = (stream: number) => ({ seed: 1, stream, step: 0, sample: 0 });

describe('a row times a matrix', () => {
  it.each([
    ['[k, n]', false],
    ['[n, k], transposed', true],
  ])('%s, is the sum of products for any extents, with the same bits on three threads as on one', async (_, turned) => {
    const [one, three] = [
      await createCpuBackend({ threads: 1 }),
      await createCpuBackend({ threads: 3, parallelThreshold: 0 }),
    ];
    try {
      for (const k of [1, 3, 4, 7, 8, 13, 32]) {
        for (const n of [1, 2, 3, 4, 5, 31, 2051]) {
          for (const batch of [1, 2]) {
            const results = [one, three].map((backend) => {
              const ops = createOperations(backend);
              const a = ops.randomNormal([batch, 1, k], key(1));
              const b = ops.randomNormal(turned ? [batch, n, k] : [batch, k, n], key(2));
              const out = backend.readSync(ops.matmul(a, b, { transposeB: turned })) as Float32Array;
              return { a: backend.readSync(a), b: backend.readSync(b), out };
            });
            const [{ a, b, out }, other] = results as [(typeof results)[0], (typeof results)[0]];
            expect(new Int32Array(other.out.buffer)).toEqual(new Int32Array(out.buffer));
            for (let i = 0; i < out.length; i++) {
              const [matrix, j] = [Math.floor(i / n), i % n];
              let sum = 0;
              let size = 0;
              for (let t = 0; t < k; t++) {
                const term = a[matrix * k + t]! * b[matrix * k * n + (turned ? j * k + t : t * n + j)]!;
                sum += term;
                size += Math.abs(term);
              }
              if (!(Math.abs(out[i]! - sum) <= (k + 1) * 2 ** -24 * size))
                expect.fail(`${[k, n, i]}: ${out[i]}, ${sum}`);
            }
          }
        }
      }
    } finally {
      one.close();
      three.close();
    }
  });
});
