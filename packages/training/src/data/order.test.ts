import { describe, expect, it } from 'vitest';
import { dataOrder, permutation, shareOf } from './order.js';

describe('permutation', () => {
  it('holds every index once, for every size', () => {
    for (const size of [1, 2, 3, 4, 5, 31, 1000]) {
      expect([...permutation(size, 7, 'data-order', 0)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: size }, (_, index) => index),
      );
    }
  });

  it('is pinned: a change of these numbers changes every run', () => {
    expect([...permutation(10, 0, 'data-order', 0)]).toMatchInlineSnapshot(`
      [
        4,
        3,
        7,
        2,
        6,
        9,
        8,
        0,
        1,
        5,
      ]
    `);
    expect([...permutation(10, 2 ** 53 - 1, 'data-order', 3)]).toMatchInlineSnapshot(`
      [
        0,
        1,
        3,
        6,
        4,
        9,
        8,
        2,
        7,
        5,
      ]
    `);
  });

  it('differs by seed, also in its upper bits, by stream and by step', () => {
    const base = permutation(100, 1, 'data-order', 0).join();
    expect(permutation(100, 2, 'data-order', 0).join()).not.toBe(base);
    expect(permutation(100, 1 + 2 ** 32, 'data-order', 0).join()).not.toBe(base);
    expect(permutation(100, 1, 'validation-split', 0).join()).not.toBe(base);
    expect(permutation(100, 1, 'data-order', 1).join()).not.toBe(base);
  });

  it('gives each of the 24 orders of four equally often', () => {
    const draws = 24_000;
    const counts = new Map<string, number>();
    for (let step = 0; step < draws; step++) {
      const order = permutation(4, 5, 'data-order', step).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 23 degrees of freedom: 60 is beyond the quantile of 1 − 4e-5.
    expect(chiSquared).toBeLessThan(60);
  });
});

describe('dataOrder', () => {
  const options = { size: 10, batchSize: 4, seed: 3 };

  it('drops or keeps the partial batch', () => {
    expect(dataOrder(options).batchesPerEpoch).toBe(2);
    const keeping = dataOrder({ ...options, keepPartialBatch: true });
    expect(keeping.batchesPerEpoch).toBe(3);
    expect([0, 1, 2].map((step) => keeping.batchAt(step).indices.length)).toEqual([4, 4, 2]);
  });

  it('sees every example once an epoch, and another order in the next', () => {
    const order = dataOrder({ ...options, keepPartialBatch: true });
    const epoch = (first: number) => [0, 1, 2].flatMap((step) => [...order.batchAt(first + step).indices]);
    expect(epoch(0).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(epoch(0)).not.toEqual(epoch(3));
  });

  it('is a function of the step alone', () => {
    const order = dataOrder(options);
    const forward = [0, 1, 2, 3, 4, 5].map((step) => order.batchAt(step));
    expect([5, 4, 3, 2, 1, 0].map((step) => dataOrder(options).batchAt(step)).reverse()).toEqual(forward);
    expect(forward.map(({ epoch, position }) => [epoch, position])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ]);
  });

  it('refuses a batch that the data cannot fill', () => {
    expect(() => dataOrder({ ...options, batchSize: 11 })).toThrow(
      /batchSize is 11, but the data set has only 10 examples/,
    );
  });
});

describe('shareOf', () => {
  it('divides each batch among the workers, in the order of their ranks', () => {
    const order = dataOrder({ size: 26, batchSize: 6, seed: 1 });
    const shares = [0, 1, 2].map((rank) => shareOf(order, { rank, workers: 3 }));
    for (const step of [0, 3, 9]) {
      const { indices, ...place } = order.batchAt(step);
      const own = shares.map((share) => share.batchAt(step));
      expect(own.flatMap((share) => [...share.indices])).toEqual([...indices]);
      for (const { indices: _, ...sharePlace } of own) expect(sharePlace).toEqual(place);
      expect(own.map((share) => share.indices.length)).toEqual([2, 2, 2]);
    }
  });
});
