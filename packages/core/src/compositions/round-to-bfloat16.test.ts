import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { randomNumbers, testOperations, values } from '../optimizers/test-support.js';
import { roundToSplit24 } from './round-to-bfloat16.js';

const golden = (
  JSON.parse(readFileSync(new URL('../../golden/compact-states.json', import.meta.url), 'utf8')) as {
    readonly rounding: { readonly split24: { readonly given: readonly number[]; readonly decoded: readonly number[] } };
  }
).rounding.split24;

const random = randomNumbers(11);
const numbers = Array.from({ length: 500 }, () => Math.fround((random() - 0.5) * 2 ** (20 * random() - 10)));

describe('roundToSplit24', () => {
  it('gives the bits of the NumPy implementation, from subnormals to 2^126 and about a power of two', async () => {
    const ops = testOperations();
    const rounded = await values(ops, roundToSplit24(ops, ops.fromData(golden.given)));
    // The sign of a 0 apart.
    expect(rounded.map((x) => x + 0)).toEqual(golden.decoded.map((x) => Math.fround(x) + 0));
  });

  it('is within a 127th of half the spacing of BF16', async () => {
    const ops = testOperations();
    const rounded = await values(ops, roundToSplit24(ops, ops.fromData(numbers)));
    for (const [i, x] of numbers.entries()) {
      // Half a spacing of BF16 has 127 codes, and the error is half a code; a whole one where BF16 rounds up to a power
      // of two.
      const half = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 8);
      expect(Math.abs(rounded[i]! - x)).toBeLessThanOrEqual((half / 127) * 1.001);
    }
    expect(rounded.filter((value, i) => value !== numbers[i]).length).toBeGreaterThan(400);
  });

  it('rounds its numbers and those of BF16 to themselves, and shows a NaN and an infinity', async () => {
    const ops = testOperations();
    const once = roundToSplit24(ops, ops.fromData(numbers));
    expect(await values(ops, roundToSplit24(ops, once))).toEqual(await values(ops, once));
    const exact = [0, -0, 1, -1.5, 1.0078125, 2 ** -133, -(2 ** 100)];
    expect(await values(ops, roundToSplit24(ops, ops.fromData(exact)))).toEqual(exact);
    const bad = await values(ops, roundToSplit24(ops, ops.fromData([Number.NaN, Infinity, -Infinity])));
    for (const value of bad) expect(Number.isFinite(value)).toBe(false);
  });
});
