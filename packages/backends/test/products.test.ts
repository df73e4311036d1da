import type { Backend } from '@lmd/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { variants } from './engines.js';
import { expectSame, f32, onBoth, random } from './parity.js';

describe.each(variants)('reductions and products of $label', ({ label, create }) => {
  let backend: Backend;
  const hostKernels = !label.includes('without');
  beforeAll(async () => {
    backend = await create();
  });

  describe('reductions', () => {
    const cases: readonly (readonly [readonly number[], readonly number[]])[] = [
      [[5], [0]],
      [[3, 4], [0]],
      [[3, 4], [1]],
      [
        [3, 4],
        [0, 1],
      ],
      [
        [2, 3, 4, 5],
        [1, 3],
      ],
      [
        [2, 3, 4, 5],
        [0, 2],
      ],
      [
        [2, 1, 3, 2, 1, 2],
        [0, 2, 5],
      ],
      [[3, 1], [1]],
      [[0, 3], [0]],
      [[3, 0], [1]],
      [[3, 0], [0]],
    ];
    it.each(cases)('sum and max of %j over %j', async (shape, axes) => {
      // Small integers: their sums are exact in any order.
      const whole = random(shape, 5, 100);
      const values = whole.values.map(Math.round);
      await expectSame(backend, [{ values, shape }], (b, x) => b.sum(x, axes));
      await expectSame(backend, [{ values, shape }], (b, x) => b.max(x, axes));
      await expectSame(backend, [{ values: Int32Array.from(values), shape }], (b, x) => b.sum(x, axes));
    });
    it('keeps NaN and infinities', async () => {
      const x = f32([1, Number.NaN, 2, 3, -Infinity, -Infinity, Infinity, 1, -Infinity], [3, 3]);
      await expectSame(backend, [x], (b, y) => b.max(y, [1]));
      await expectSame(backend, [x], (b, y) => b.max(y, [0]));
      await expectSame(backend, [x], (b, y) => b.sum(y, [1]));
    });
    it('argMax takes the first', async () => {
      const x = f32([1, 5, 5, 4, 0, 4, 2, 2, 2], [3, 3]);
      await expectSame(backend, [x], (b, y) => b.argMax(y, 0));
      await expectSame(backend, [x], (b, y) => b.argMax(y, 1));
      await expectSame(backend, [random([2, 3, 4], 6)], (b, y) => b.argMax(y, 1));
      await expectSame(backend, [f32([], [0, 3])], (b, y) => b.argMax(y, 1));
    });
    // Without host kernels it is the engine's own choice.
    if (hostKernels) {
      it('argMax takes a NaN as the largest', async () => {
        await expectSame(backend, [f32([1, Number.NaN, 2, Number.NaN])], (b, y) => b.argMax(y, 0));
      });
    }
  });

  describe('matmul', () => {
    const sizes: readonly (readonly [number, number, number, number, number])[] = [
      [1, 1, 1, 1, 1],
      [1, 1, 5, 7, 3],
      [3, 3, 4, 2, 5],
      [3, 1, 4, 6, 5],
      [1, 3, 4, 6, 5],
      [1, 1, 3, 90, 40],
      [1, 1, 40, 90, 3],
      [1, 1, 3, 0, 2],
      [2, 2, 0, 3, 2],
      [2, 1, 3, 0, 2],
      [0, 0, 3, 2, 4],
      [0, 1, 3, 2, 4],
    ];
    it.each(sizes)('batches %i and %i, %i × %i × %i', async (batchA, batchB, m, k, n) => {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const a = random(transposeA ? [batchA, k, m] : [batchA, m, k], 7);
          const b = random(transposeB ? [batchB, n, k] : [batchB, k, n], 8);
          const [actual, expected] = await onBoth(backend, [a, b], (on, x, y) =>
            on.matmul(x, y, transposeA, transposeB),
          );
          expect(actual).toHaveLength(expected.length);
          for (let i = 0; i < actual.length; i++) {
            // Each of k products, at most 4, adds a rounding error of half a step of a sum of at most 4k.
            expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(4 * k * k * 2 ** -24);
          }
        }
      }
    });
    it('keeps NaN and infinities', async () => {
      const a = f32([1, Number.NaN, Infinity, 1, 0, 1], [1, 3, 2]);
      const b = f32([1, 2, 3, 4, 5, 1, 1, Number.NaN, 1, Infinity], [1, 2, 5]);
      await expectSame(backend, [a, b], (on, x, y) => on.matmul(x, y, false, false));
    });
    it('is right again after the right operand of the same size changed', async () => {
      for (let seed = 0; seed < 4; seed++) {
        await expectSame(backend, [f32([1, 0, 0, 1], [1, 2, 2]), random([1, 2, 2], seed)], (on, x, y) =>
          on.matmul(x, y, false, false),
        );
      }
    });
  });
});
