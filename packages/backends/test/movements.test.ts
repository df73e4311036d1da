import type { Backend } from '@lmd/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { variants } from './engines.js';
import { expectSame, f32, i32, random } from './parity.js';

describe.each(variants)('movements of $label', ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });

  describe('movements', () => {
    const permutations: readonly (readonly [readonly number[], readonly number[]])[] = [
      [[3], [0]],
      [
        [3, 4],
        [1, 0],
      ],
      [
        [2, 3, 4],
        [2, 0, 1],
      ],
      [
        [2, 3, 4, 5],
        [0, 2, 1, 3],
      ],
      [
        [2, 3, 4, 5],
        [3, 2, 1, 0],
      ],
      [
        [2, 1, 3, 2, 1, 2],
        [5, 4, 3, 2, 1, 0],
      ],
      [
        [2, 3, 2, 3, 2, 3],
        [4, 2, 0, 1, 5, 3],
      ],
      [
        [0, 3],
        [1, 0],
      ],
      [
        [50, 33],
        [1, 0],
      ],
      [
        [1, 3, 1],
        [2, 1, 0],
      ],
    ];
    it.each(permutations)('transpose %j by %j', async (shape, permutation) => {
      await expectSame(backend, [random(shape, 9)], (b, x) => b.transpose(x, permutation));
      const values = Int32Array.from(random(shape, 9).values, (_, i) => 16777217 + i);
      await expectSame(backend, [{ values, shape }], (b, x) => b.transpose(x, permutation));
    });
    const slices: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
      [[5], [1], [3]],
      [
        [4, 40],
        [1, 2],
        [2, 35],
      ],
      [
        [3, 4, 5],
        [1, 0, 2],
        [2, 4, 2],
      ],
      [
        [2, 3, 2, 3, 2, 3],
        [1, 1, 0, 2, 0, 1],
        [1, 2, 2, 1, 1, 2],
      ],
      [
        [3, 4],
        [3, 0],
        [0, 4],
      ],
      [
        [3, 4],
        [0, 0],
        [3, 4],
      ],
      [[], [], []],
    ];
    it.each(slices)('slice of %j from %j, %j', async (shape, begin, size) => {
      await expectSame(backend, [random(shape, 10)], (b, x) => b.slice(x, begin, size));
      const values = Int32Array.from(random(shape, 9).values, (_, i) => 16777217 + i);
      await expectSame(backend, [{ values, shape }], (b, x) => b.slice(x, begin, size));
    });
    it('pads with zeros up to rank 6', async () => {
      await expectSame(backend, [random([3], 11)], (b, x) => b.pad(x, [2], [1]));
      await expectSame(backend, [random([2, 40], 11)], (b, x) => b.pad(x, [0, 3], [1, 0]));
      await expectSame(backend, [random([2, 1, 2, 3, 2, 2], 11)], (b, x) =>
        b.pad(x, [1, 0, 0, 1, 0, 2], [0, 1, 0, 0, 3, 0]),
      );
      await expectSame(backend, [f32([], [0, 2])], (b, x) => b.pad(x, [1, 0], [1, 1]));
      await expectSame(backend, [random([2], 11)], (b, x) => b.pad(x, [0], [0]));
      await expectSame(backend, [i32([16777217])], (b, x) => b.pad(x, [1], [1]));
    });
    it('concatenates along any axis', async () => {
      const parts = [random([2, 3, 4], 12), random([2, 1, 4], 13), f32([], [2, 0, 4])];
      await expectSame(backend, parts, (b, ...xs) => b.concatenate(xs, 1));
      await expectSame(backend, [random([2, 3], 14), random([1, 3], 15)], (b, ...xs) => b.concatenate(xs, 0));
      await expectSame(backend, [random([2, 3], 14)], (b, ...xs) => b.concatenate(xs, 1));
      await expectSame(backend, [f32([], [0, 2]), f32([], [0, 3])], (b, ...xs) => b.concatenate(xs, 1));
      await expectSame(backend, [i32([16777217]), i32([5])], (b, ...xs) => b.concatenate(xs, 0));
    });
    it('broadcasts', async () => {
      await expectSame(backend, [random([3, 1], 16)], (b, x) => b.broadcastTo(x, [2, 3, 4]));
      await expectSame(backend, [random([2, 1, 2, 1, 2, 1], 16)], (b, x) => b.broadcastTo(x, [2, 3, 2, 3, 2, 3]));
      await expectSame(backend, [f32([-0, Number.NaN])], (b, x) => b.broadcastTo(x, [3, 2]));
      await expectSame(backend, [i32([16777217], [])], (b, x) => b.broadcastTo(x, [2]));
      await expectSame(backend, [random([1], 16)], (b, x) => b.broadcastTo(x, [0]));
      await expectSame(backend, [random([3], 16)], (b, x) => b.broadcastTo(x, [3]));
    });
    it('gathers, with NaN for what is out of range', async () => {
      await expectSame(backend, [random([4, 3], 17), i32([3, 0, 0, 1], [2, 2])], (b, x, i) => b.gather(x, i));
      await expectSame(backend, [random([4, 2, 3], 17), i32([4, -1, 2147483647, 2])], (b, x, i) => b.gather(x, i));
      await expectSame(backend, [random([4], 17), i32([2], [])], (b, x, i) => b.gather(x, i));
      await expectSame(backend, [random([4, 3], 17), i32([])], (b, x, i) => b.gather(x, i));
      await expectSame(backend, [f32([], [0, 3]), i32([0, 1])], (b, x, i) => b.gather(x, i));
      await expectSame(backend, [i32([16777217, 5]), i32([0, 0, 1])], (b, x, i) => b.gather(x, i));
    });
    it('adds up repeats, and ignores what is out of range', async () => {
      const updates = f32([1, 2, 3, 4, 5, 6, 7, 8, Number.NaN, 1], [5, 2]);
      await expectSame(backend, [i32([1, 1, 0, 1, 9]), updates], (b, i, x) => b.scatterAdd(i, x, 3));
      await expectSame(backend, [i32([-1, 2, 2, -5, 0], [5, 1]), f32([1, 2, 3, 4, 5], [5, 1])], (b, i, x) =>
        b.scatterAdd(i, x, 3),
      );
      await expectSame(backend, [i32([]), f32([], [0, 2])], (b, i, x) => b.scatterAdd(i, x, 3));
      await expectSame(backend, [i32([0, 1]), f32([1, 2])], (b, i, x) => b.scatterAdd(i, x, 0));
    });
    it('reshapes on shared storage', async () => {
      const x = backend.fromData(Float32Array.of(1, 2, 3, 4), [4], 'f32');
      const before = backend.memory();
      const y = backend.reshape(x, [2, 2]);
      expect(backend.memory()).toEqual({ tensors: before.tensors + 1, bytes: before.bytes });
      backend.dispose(x);
      expect(await backend.read(y)).toEqual(Float32Array.of(1, 2, 3, 4));
      backend.dispose(y);
    });
  });
});
