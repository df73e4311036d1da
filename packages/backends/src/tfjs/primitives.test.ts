import { createReferenceBackend } from '@lmd/backends/reference';
import { type Backend, binaryNames, comparisonNames, type Tensor, unaryNames } from '@lmd/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { variants } from '../../test/engines.js';
import { randomFloats, worstUlps } from '../../test/random-values.js';

const reference = createReferenceBackend();
const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3e38, 1e-30, -1e-30];

describe.each(variants)('$label', ({ label, create }) => {
  let backend: Backend;
  const hostKernels = !label.includes('without');
  beforeAll(async () => {
    backend = await create();
  });

  type Arguments = readonly { values: Float32Array | Int32Array; shape: readonly number[] }[];

  /** Runs `body` on both backends and returns what they give; fails on a leak or another shape or dtype. */
  async function both(args: Arguments, body: (b: Backend, ...xs: Tensor[]) => Tensor) {
    const run = async (b: Backend) => {
      const before = b.memory();
      const xs = args.map(({ values, shape }) =>
        b.fromData(values, shape, values instanceof Float32Array ? 'f32' : 'i32'),
      );
      const result = body(b, ...xs);
      const data = await b.read(result);
      const { shape, dtype } = result;
      for (const x of [...xs, result]) b.dispose(x);
      expect(b.memory()).toEqual(before);
      return { data, shape, dtype };
    };
    const actual = await run(backend);
    const expected = await run(reference);
    expect([actual.shape, actual.dtype]).toEqual([expected.shape, expected.dtype]);
    return [actual.data, expected.data] as const;
  }

  async function expectSame(args: Arguments, body: (b: Backend, ...xs: Tensor[]) => Tensor, ulps = 0) {
    const [actual, expected] = await both(args, body);
    expect(worstUlps(actual, expected)).toBeLessThanOrEqual(ulps);
  }

  const f32 = (values: readonly number[] | Float32Array, shape: readonly number[] = [values.length]) => ({
    values: Float32Array.from(values),
    shape,
  });
  const i32 = (values: readonly number[], shape: readonly number[] = [values.length]) => ({
    values: Int32Array.from(values),
    shape,
  });
  const random = (shape: readonly number[], seed: number, scale?: number) =>
    f32(
      randomFloats(
        shape.reduce((a, b) => a * b, 1),
        seed,
        scale,
      ),
      shape,
    );

  // Float32 steps from the reference that each function may be off. The engines' own approximations are coarser.
  const unaryUlps: Record<string, number> = { exp: 1, log: 2, tanh: 3, erf: 2 };
  const loose = new Set(hostKernels ? [] : ['erf', 'tanh']);

  describe('unary', () => {
    it.each(unaryNames)('%s', async (name) => {
      const values = Float32Array.of(...special, ...randomFloats(999, 1, 4), ...randomFloats(100, 2, 80));
      const signless = name === 'log' || name === 'sqrt' ? values.map(Math.abs) : values;
      const [actual, expected] = await both([f32(signless)], (b, x) => b[name](x));
      if (loose.has(name)) {
        for (let i = 0; i < actual.length; i++) {
          if (Number.isNaN(expected[i])) expect(actual[i]).toBeNaN();
          else expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(4e-7);
        }
      } else expect(worstUlps(actual, expected)).toBeLessThanOrEqual(unaryUlps[name] ?? 0);
      await expectSame([f32([], [3, 0])], (b, x) => b[name](x));
    });
  });

  describe('binary', () => {
    const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
    it.each(binaryNames)('%s', async (name) => {
      const a = f32(pairs.map(([x]) => x));
      const b = f32(pairs.map(([, y]) => y));
      await expectSame([a, b], (on, x, y) => on[name](x, y));
      for (const [first, second] of broadcasts) {
        await expectSame([random(first, 3), random(second, 4)], (on, x, y) => on[name](x, y));
      }
    });
    it.each(comparisonNames)('%s', async (name) => {
      await expectSame([f32(pairs.map(([x]) => x)), f32(pairs.map(([, y]) => y))], (on, x, y) => on[name](x, y));
      const large = [16777216, 16777217, -2147483648, 2147483647, 0];
      const square = i32(large.flatMap((x) => large.map(() => x)));
      await expectSame([square, i32(large.flatMap(() => large))], (on, x, y) => on[name](x, y));
      for (const [first, second] of broadcasts) {
        await expectSame([random(first, 3), random(second, 4)], (on, x, y) => on[name](x, y));
      }
    });
    it('where takes no part of what is not chosen', async () => {
      const condition = i32([1, 0, 256, -1, 0]);
      const a = f32([1, Number.NaN, 3, -0, Infinity]);
      await expectSame([condition, a, f32([Number.NaN, 2, Infinity, 4, -0])], (b, c, x, y) => b.where(c, x, y));
      await expectSame([i32([1, 0], [2, 1]), f32([1, 2, 3]), f32([9], [])], (b, c, x, y) => b.where(c, x, y));
      await expectSame([i32([0, 1]), i32([1, 2]), i32([16777217, 4])], (b, c, x, y) => b.where(c, x, y));
      await expectSame([i32([], [0, 1]), f32([1, 2, 3]), f32([9], [])], (b, c, x, y) => b.where(c, x, y));
    });
  });

  const broadcasts: readonly (readonly [readonly number[], readonly number[]])[] = [
    [[], []],
    [[], [5]],
    [[7], []],
    [[3, 4], [4]],
    [
      [3, 1],
      [1, 4],
    ],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [
      [2, 1, 3, 1],
      [1, 4, 1, 5],
    ],
    [
      [2, 1, 3, 1, 2, 1],
      [1, 2, 1, 3, 1, 2],
    ],
    [
      [1, 2, 1, 2, 1, 2, 1],
      [2, 1, 2, 1, 2, 1, 2],
    ],
    [[0, 3], [3]],
    [
      [2, 1],
      [1, 0],
    ],
    [[33, 17], [17]],
    [
      [33, 17],
      [33, 1],
    ],
  ];

  describe('casts', () => {
    it('truncates toward zero', async () => {
      await expectSame([f32([1.9, -1.9, 0.5, -0.5, 16777217, -2147483648])], (b, x) => b.cast(x, 'i32'));
    });
    it.skipIf(!hostKernels)('saturates, and rounds large integers', async () => {
      await expectSame([f32([Number.NaN, Infinity, -Infinity, 3e9])], (b, x) => b.cast(x, 'i32'));
      await expectSame([i32([16777217, 16777219, -16777217, 2147483647])], (b, x) => b.cast(x, 'f32'));
      await expectSame([f32([-5, 0.9, 255.9, 256, Number.NaN])], (b, x) => b.cast(x, 'u8'));
    });
    it('keeps u8 as whole numbers', async () => {
      const x = backend.fromData(Uint8Array.of(0, 7, 255), [3], 'u8');
      const y = backend.cast(x, 'i32');
      expect(await backend.read(x)).toEqual(Uint8Array.of(0, 7, 255));
      expect(await backend.read(y)).toEqual(Int32Array.of(0, 7, 255));
      backend.dispose(x);
      backend.dispose(y);
    });
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
      await expectSame([{ values, shape }], (b, x) => b.sum(x, axes));
      await expectSame([{ values, shape }], (b, x) => b.max(x, axes));
      await expectSame([{ values: Int32Array.from(values), shape }], (b, x) => b.sum(x, axes));
    });
    it('keeps NaN and infinities', async () => {
      const x = f32([1, Number.NaN, 2, 3, -Infinity, -Infinity, Infinity, 1, -Infinity], [3, 3]);
      await expectSame([x], (b, y) => b.max(y, [1]));
      await expectSame([x], (b, y) => b.max(y, [0]));
      await expectSame([x], (b, y) => b.sum(y, [1]));
    });
    it('argMax takes the first', async () => {
      const x = f32([1, 5, 5, 4, 0, 4, 2, 2, 2], [3, 3]);
      await expectSame([x], (b, y) => b.argMax(y, 0));
      await expectSame([x], (b, y) => b.argMax(y, 1));
      await expectSame([random([2, 3, 4], 6)], (b, y) => b.argMax(y, 1));
      await expectSame([f32([], [0, 3])], (b, y) => b.argMax(y, 1));
    });
    it.skipIf(!hostKernels)('argMax takes a NaN as the largest', async () => {
      await expectSame([f32([1, Number.NaN, 2, Number.NaN])], (b, y) => b.argMax(y, 0));
    });
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
          const [actual, expected] = await both([a, b], (on, x, y) => on.matmul(x, y, transposeA, transposeB));
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
      await expectSame([a, b], (on, x, y) => on.matmul(x, y, false, false));
    });
    it('is right again after the right operand of the same size changed', async () => {
      for (let seed = 0; seed < 4; seed++) {
        await expectSame([f32([1, 0, 0, 1], [1, 2, 2]), random([1, 2, 2], seed)], (on, x, y) =>
          on.matmul(x, y, false, false),
        );
      }
    });
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
      await expectSame([random(shape, 9)], (b, x) => b.transpose(x, permutation));
      const values = Int32Array.from(random(shape, 9).values, (_, i) => 16777217 + i);
      await expectSame([{ values, shape }], (b, x) => b.transpose(x, permutation));
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
      await expectSame([random(shape, 10)], (b, x) => b.slice(x, begin, size));
      const values = Int32Array.from(random(shape, 9).values, (_, i) => 16777217 + i);
      await expectSame([{ values, shape }], (b, x) => b.slice(x, begin, size));
    });
    it('pads with zeros up to rank 6', async () => {
      await expectSame([random([3], 11)], (b, x) => b.pad(x, [2], [1]));
      await expectSame([random([2, 40], 11)], (b, x) => b.pad(x, [0, 3], [1, 0]));
      await expectSame([random([2, 1, 2, 3, 2, 2], 11)], (b, x) => b.pad(x, [1, 0, 0, 1, 0, 2], [0, 1, 0, 0, 3, 0]));
      await expectSame([f32([], [0, 2])], (b, x) => b.pad(x, [1, 0], [1, 1]));
      await expectSame([random([2], 11)], (b, x) => b.pad(x, [0], [0]));
      await expectSame([i32([16777217])], (b, x) => b.pad(x, [1], [1]));
    });
    it('concatenates along any axis', async () => {
      const parts = [random([2, 3, 4], 12), random([2, 1, 4], 13), f32([], [2, 0, 4])];
      await expectSame(parts, (b, ...xs) => b.concatenate(xs, 1));
      await expectSame([random([2, 3], 14), random([1, 3], 15)], (b, ...xs) => b.concatenate(xs, 0));
      await expectSame([random([2, 3], 14)], (b, ...xs) => b.concatenate(xs, 1));
      await expectSame([f32([], [0, 2]), f32([], [0, 3])], (b, ...xs) => b.concatenate(xs, 1));
      await expectSame([i32([16777217]), i32([5])], (b, ...xs) => b.concatenate(xs, 0));
    });
    it('broadcasts', async () => {
      await expectSame([random([3, 1], 16)], (b, x) => b.broadcastTo(x, [2, 3, 4]));
      await expectSame([random([2, 1, 2, 1, 2, 1], 16)], (b, x) => b.broadcastTo(x, [2, 3, 2, 3, 2, 3]));
      await expectSame([f32([-0, Number.NaN])], (b, x) => b.broadcastTo(x, [3, 2]));
      await expectSame([i32([16777217], [])], (b, x) => b.broadcastTo(x, [2]));
      await expectSame([random([1], 16)], (b, x) => b.broadcastTo(x, [0]));
      await expectSame([random([3], 16)], (b, x) => b.broadcastTo(x, [3]));
    });
    it('gathers, with NaN for what is out of range', async () => {
      await expectSame([random([4, 3], 17), i32([3, 0, 0, 1], [2, 2])], (b, x, i) => b.gather(x, i));
      await expectSame([random([4, 2, 3], 17), i32([4, -1, 2147483647, 2])], (b, x, i) => b.gather(x, i));
      await expectSame([random([4], 17), i32([2], [])], (b, x, i) => b.gather(x, i));
      await expectSame([random([4, 3], 17), i32([])], (b, x, i) => b.gather(x, i));
      await expectSame([f32([], [0, 3]), i32([0, 1])], (b, x, i) => b.gather(x, i));
      await expectSame([i32([16777217, 5]), i32([0, 0, 1])], (b, x, i) => b.gather(x, i));
    });
    it('adds up repeats, and ignores what is out of range', async () => {
      const updates = f32([1, 2, 3, 4, 5, 6, 7, 8, Number.NaN, 1], [5, 2]);
      await expectSame([i32([1, 1, 0, 1, 9]), updates], (b, i, x) => b.scatterAdd(i, x, 3));
      await expectSame([i32([-1, 2, 2, -5, 0], [5, 1]), f32([1, 2, 3, 4, 5], [5, 1])], (b, i, x) =>
        b.scatterAdd(i, x, 3),
      );
      await expectSame([i32([]), f32([], [0, 2])], (b, i, x) => b.scatterAdd(i, x, 3));
      await expectSame([i32([0, 1]), f32([1, 2])], (b, i, x) => b.scatterAdd(i, x, 0));
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

  describe('random numbers', () => {
    const key = { seed: 2 ** 40 + 3, stream: 5, step: 6, sample: 7 };
    it('has the reference’s bits', async () => {
      for (const shape of [[], [1], [7], [3, 1025], [0]]) {
        await expectSame([], (b) => b.randomBits(shape, key));
        await expectSame([], (b) => b.randomUniform(shape, key));
        await expectSame([], (b) => b.randomNormal(shape, key), 1);
      }
    });
  });

  it('creates and reads', async () => {
    await expectSame([], (b) => b.full([2, 3], 1.1, 'f32'));
    await expectSame([], (b) => b.full([], 16777217, 'i32'));
    await expectSame([], (b) => b.full([0], 1, 'f32'));
    await expectSame([], (b) => b.full([3], 200, 'u8'));
    await expectSame([], (b) => b.fromData(Float64Array.of(0.1, 1 / 3), [2], 'f32'));
    const data = Float32Array.of(1, 2);
    const x = backend.fromData(data, [2], 'f32');
    data[0] = 9;
    const read = await backend.read(x);
    read[1] = 9;
    expect(await backend.read(x)).toEqual(Float32Array.of(1, 2));
    backend.dispose(x);
  });

  it('leaves a foreign or freed tensor alone', async () => {
    expect(() => backend.exp({ shape: [1], dtype: 'f32' })).toThrow(/not made by this/);
    const x = backend.full([1], 1, 'f32');
    backend.dispose(x);
    expect(() => backend.exp(x)).toThrow(/after it was freed/);
  });
});
