import { type Backend, binaryNames, comparisonNames, unaryNames } from '@lmd/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { variants } from './engines.js';
import { expectSame, f32, i32, onBoth, random } from './parity.js';
import { randomFloats, worstUlps } from './random-values.js';

const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3e38, 1e-30, -1e-30];

describe.each(variants)('elementwise operations of $label', ({ label, create }) => {
  let backend: Backend;
  const hostKernels = !label.includes('without');
  beforeAll(async () => {
    backend = await create();
  });

  // Float32 steps from the reference that each function may be off. The engines' own approximations are coarser.
  const unaryUlps: Record<string, number> = { exp: 1, log: 2, tanh: 3, erf: 2 };
  const loose = new Set(hostKernels ? [] : ['erf', 'tanh']);

  describe('unary', () => {
    it.each(unaryNames)('%s', async (name) => {
      const values = Float32Array.of(...special, ...randomFloats(999, 1, 4), ...randomFloats(100, 2, 80));
      const signless = name === 'log' || name === 'sqrt' ? values.map(Math.abs) : values;
      const [actual, expected] = await onBoth(backend, [f32(signless)], (b, x) => b[name](x));
      if (loose.has(name)) {
        for (let i = 0; i < actual.length; i++) {
          if (Number.isNaN(expected[i])) expect(actual[i]).toBeNaN();
          else expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(4e-7);
        }
      } else expect(worstUlps(actual, expected)).toBeLessThanOrEqual(unaryUlps[name] ?? 0);
      await expectSame(backend, [f32([], [3, 0])], (b, x) => b[name](x));
    });
  });

  describe('binary', () => {
    const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
    it.each(binaryNames)('%s', async (name) => {
      const a = f32(pairs.map(([x]) => x));
      const b = f32(pairs.map(([, y]) => y));
      await expectSame(backend, [a, b], (on, x, y) => on[name](x, y));
      for (const [first, second] of broadcasts) {
        await expectSame(backend, [random(first, 3), random(second, 4)], (on, x, y) => on[name](x, y));
      }
    });
    it.each(comparisonNames)('%s', async (name) => {
      await expectSame(backend, [f32(pairs.map(([x]) => x)), f32(pairs.map(([, y]) => y))], (on, x, y) =>
        on[name](x, y),
      );
      const large = [16777216, 16777217, -2147483648, 2147483647, 0];
      const square = i32(large.flatMap((x) => large.map(() => x)));
      await expectSame(backend, [square, i32(large.flatMap(() => large))], (on, x, y) => on[name](x, y));
      for (const [first, second] of broadcasts) {
        await expectSame(backend, [random(first, 3), random(second, 4)], (on, x, y) => on[name](x, y));
      }
    });
    it('where takes no part of what is not chosen', async () => {
      const condition = i32([1, 0, 256, -1, 0]);
      const a = f32([1, Number.NaN, 3, -0, Infinity]);
      await expectSame(backend, [condition, a, f32([Number.NaN, 2, Infinity, 4, -0])], (b, c, x, y) =>
        b.where(c, x, y),
      );
      await expectSame(backend, [i32([1, 0], [2, 1]), f32([1, 2, 3]), f32([9], [])], (b, c, x, y) => b.where(c, x, y));
      await expectSame(backend, [i32([0, 1]), i32([1, 2]), i32([16777217, 4])], (b, c, x, y) => b.where(c, x, y));
      await expectSame(backend, [i32([], [0, 1]), f32([1, 2, 3]), f32([9], [])], (b, c, x, y) => b.where(c, x, y));
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
      await expectSame(backend, [f32([1.9, -1.9, 0.5, -0.5, 16777217, -2147483648])], (b, x) => b.cast(x, 'i32'));
    });
    it('saturates, and rounds large integers', async () => {
      await expectSame(backend, [f32([Number.NaN, Infinity, -Infinity, 3e9])], (b, x) => b.cast(x, 'i32'));
      await expectSame(backend, [i32([16777217, 16777219, -16777217, 2147483647])], (b, x) => b.cast(x, 'f32'));
    });
    it('keeps u8 as whole numbers', async () => {
      const x = backend.fromData(Uint8Array.of(0, 7, 255), [3], 'u8');
      expect(await backend.read(x)).toEqual(Uint8Array.of(0, 7, 255));
      backend.dispose(x);
    });
  });
});
