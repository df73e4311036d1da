import type { Backend } from '@lmd/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { variants } from './engines.js';
import { expectSame } from './parity.js';

describe.each(variants)('creation and random numbers of $label', ({ create, normalUlps }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });

  describe('random numbers', () => {
    const key = { seed: 2 ** 40 + 3, stream: 5, step: 6, sample: 7 };
    it('has the reference’s bits', async () => {
      for (const shape of [[], [1], [7], [3, 1025], [0]]) {
        await expectSame(backend, [], (b) => b.randomBits(shape, key));
        await expectSame(backend, [], (b) => b.randomUniform(shape, key));
        await expectSame(backend, [], (b) => b.randomNormal(shape, key), normalUlps);
      }
    });
  });

  it('creates and reads', async () => {
    await expectSame(backend, [], (b) => b.full([2, 3], 1.1, 'f32'));
    await expectSame(backend, [], (b) => b.full([], 16777217, 'i32'));
    await expectSame(backend, [], (b) => b.full([0], 1, 'f32'));
    await expectSame(backend, [], (b) => b.full([3], 200, 'u8'));
    await expectSame(backend, [], (b) => b.fromData(Float64Array.of(0.1, 1 / 3), [2], 'f32'));
    const data = Float32Array.of(1, 2);
    const x = backend.fromData(data, [2], 'f32');
    data[0] = 9;
    const read = await backend.read(x);
    read[1] = 9;
    expect(await backend.read(x)).toEqual(Float32Array.of(1, 2));
    backend.dispose(x);
  });

  it('leaves a foreign or freed tensor alone', async () => {
    expect(() => backend.exp({ shape: [1], dtype: 'f32' })).toThrow(/not created by this/);
    const x = backend.full([1], 1, 'f32');
    backend.dispose(x);
    expect(() => backend.exp(x)).toThrow(/after it was disposed/);
  });
});
