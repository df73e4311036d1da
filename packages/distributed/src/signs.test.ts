import { describe, expect, it } from 'vitest';
import { majority, packNonZeros, packSigns } from './index.js';

/** A small generator: signs −1, 0 and 1. */
function randomSigns(seed: number, count: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 3) - 1;
  });
}

/** The majority by plain sums over one number a coordinate. */
function plainMajority(votes: readonly Float32Array[], count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    Math.sign(votes.reduce((sum, signs) => sum + signs[index]!, 0)),
  ).map((sign) => (sign === 0 ? 0 : sign));
}

describe('majority', () => {
  it.each([1, 2, 3, 4, 7, 8, 9, 100])('of %i ballots of one bit is that of plain sums', (workers) => {
    for (const count of [1, 31, 32, 33, 70]) {
      const step = 5;
      const signs = Array.from({ length: workers }, (_, rank) => randomSigns(rank + 1, count));
      // What a bit says: zeros take a side.
      const votes = signs.map((one, rank) => one.map((s, index) => s || ((index + step + rank) % 2 === 0 ? 1 : -1)));
      const ballots = signs.map((one, rank) => ({ up: packSigns(one, { step, rank }) }));
      expect([...majority(ballots, count)]).toEqual(plainMajority(votes, count));
    }
  });

  it.each([1, 2, 3, 9, 100])('of %i ballots that may abstain is that of plain sums', (workers) => {
    const count = 70;
    const signs = Array.from({ length: workers }, (_, rank) => randomSigns(rank + 1, count));
    const ballots = signs.map((one, rank) => ({
      up: packSigns(one, { step: 0, rank }),
      cast: packNonZeros(one),
    }));
    expect([...majority(ballots, count)]).toEqual(plainMajority(signs, count));
  });

  it('does not depend on the order of the ballots', () => {
    const ballots = [1, 2, 3, 4, 5].map((rank) => ({ up: packSigns(randomSigns(rank, 90), { step: 0, rank }) }));
    expect(majority([...ballots].reverse(), 90)).toEqual(majority(ballots, 90));
  });

  it('leaves coordinates without any direction where they are, over two steps', () => {
    for (const workers of [1, 2, 3, 4]) {
      const moved = [0, 1].map((step) =>
        majority(
          Array.from({ length: workers }, (_, rank) => ({ up: packSigns(new Float32Array(40), { step, rank }) })),
          40,
        ),
      );
      for (let index = 0; index < 40; index++) expect(moved[0]![index]! + moved[1]![index]!).toBe(0);
      // An even number cancels within the step.
      if (workers % 2 === 0) expect([...moved[0]!].every((direction) => direction === 0)).toBe(true);
    }
  });
});
