import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import { createCpuBackend } from './cpu-backend.js';

it('sums and finds maxima over axes in the middle, of any extents, with the same bits on three threads as on one', async () => {
  const backends = [
    await createCpuBackend({ threads: 1 }),
    await createCpuBackend({ threads: 3, parallelThreshold: 0 }),
  ];
  try {
    for (const [outer, terms, inner] of [
      [3, 40, 7],
      [2, 5, 33],
      [5, 70, 16],
      [4, 1, 3],
      [1, 129, 50],
    ] as const) {
      const values = Float32Array.from({ length: outer * terms * inner }, (_, i) => Math.sin(i * 7.3));
      values[4] = Number.NaN;
      const [one, three] = backends.map((backend) => {
        const ops = createOperations(backend);
        const x = ops.fromData(values, [outer, 1, terms, inner]);
        return [ops.sum(x, { axes: [1, 2] }), ops.max(x, { axes: [1, 2] })].map(
          (y) => backend.readSync(y) as Float32Array,
        );
      }) as [[Float32Array, Float32Array], [Float32Array, Float32Array]];
      expect(new Int32Array(three[0].buffer)).toEqual(new Int32Array(one[0].buffer));
      for (let i = 0; i < outer * inner; i++) {
        const column = Array.from(
          { length: terms },
          (_, t) => values[(Math.floor(i / inner) * terms + t) * inner + (i % inner)]!,
        );
        const sum = column.reduce((a, b) => a + b, 0);
        if (Number.isNaN(sum)) expect(one[0][i]).toBeNaN();
        else expect(one[0][i]).toBeCloseTo(sum, 5);
        expect([one[1][i], three[1][i]]).toEqual([Math.max(...column), Math.max(...column)]);
      }
    }
  } finally {
    for (const backend of backends) backend.close();
  }
});
