import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EagerOperations, Tensor } from '../index.js';
import { randomNumbers, testOperations, values } from '../optimizers/test-support.js';
import { roundToCompandedMoment, roundToCompandedSquare, roundToFloat16 } from './companded-moments.js';

interface Rounding {
  readonly given: readonly number[];
  /** Decoded by `dev/golden/optimizers/compact_states.py` from codes of NumPy's types. */
  readonly decoded: readonly (number | string)[];
}

const golden = (
  JSON.parse(readFileSync(new URL('../../golden/compact-states.json', import.meta.url), 'utf8')) as {
    readonly rounding: Record<string, Rounding>;
  }
).rounding;

const roundings: Record<string, (ops: EagerOperations, x: Tensor) => Tensor> = {
  firstMoment: roundToCompandedMoment,
  secondMoment: roundToCompandedSquare,
  float16: roundToFloat16,
};

describe.each(Object.entries(roundings))('%s', (name, round) => {
  it('gives the bits of the NumPy implementation', async () => {
    const ops = testOperations();
    const { given, decoded } = golden[name]!;
    expect(await values(ops, round(ops, ops.fromData(given)))).toEqual(
      decoded.map((value) => Math.fround(Number(value))),
    );
  });
});

describe('companded moments', () => {
  const random = randomNumbers(5);
  /** Of one group: the largest is 1, an FP16 number. */
  const group = Array.from({ length: 31 }, () => (random() - 0.5) * 10 ** (-4 * random()));

  it('are within half a step of the codes, which are finer near 0', async () => {
    const ops = testOperations();
    const given = ops.fromData([1, ...group]);
    const first = await values(ops, roundToCompandedMoment(ops, given));
    const second = await values(ops, roundToCompandedSquare(ops, ops.multiply(given, given)));
    const exact = await values(ops, given);
    for (const [i, x] of exact.entries()) {
      // φ(x) = 2x / (1 + x) has the slope 2 / (1 + x)², and the codes are 1/127 apart.
      expect(Math.abs(first[i]! - x)).toBeLessThan(((1 + Math.abs(x)) ** 2 / 2) * (0.51 / 127));
      expect(Math.abs(Math.sqrt(second[i]!) - Math.abs(x))).toBeLessThan(0.51 / 255);
    }
    expect(new Set(first).size).toBeGreaterThan(10);
    expect(first[0]).toBe(1);
    expect(second[0]).toBe(1);
  });

  it('are codes that round to themselves', async () => {
    const ops = testOperations();
    for (const round of [roundToCompandedMoment, roundToCompandedSquare]) {
      const once = round(ops, ops.absolute(ops.fromData([1, ...group])));
      expect(await values(ops, round(ops, once))).toEqual(await values(ops, once));
    }
  });

  it.each([[[]], [[3, 11]], [[32]], [[33]], [[4, 4, 4]], [[0]], [[2, 0]]])(
    'are those of groups of 32 in row-major order, of any shape: %j',
    async (shape) => {
      const ops = testOperations();
      const size = shape.reduce((product, extent) => product * extent, 1);
      const flat = Array.from({ length: size }, (_, i) => Math.fround((random() + 0.1) * 10 ** (i >> 5)));
      for (const round of [roundToCompandedMoment, roundToCompandedSquare]) {
        const expected: number[] = [];
        for (let start = 0; start < size; start += 32) {
          expected.push(...(await values(ops, round(ops, ops.fromData(flat.slice(start, start + 32))))));
        }
        const before = ops.memory().tensors;
        const rounded = round(ops, ops.fromData(flat, shape));
        expect(ops.memory().tensors).toBe(before + 2);
        expect(rounded.shape).toEqual(shape);
        expect(await values(ops, rounded)).toEqual(expected);
      }
    },
  );

  it('show a NaN and an infinity in their group alone', async () => {
    const ops = testOperations();
    for (const round of [roundToCompandedMoment, roundToCompandedSquare]) {
      for (const bad of [Number.NaN, Infinity]) {
        const given = Array.from({ length: 40 }, (_, i) => (i === 7 ? bad : 1));
        const rounded = await values(ops, round(ops, ops.fromData(given)));
        expect(rounded[7]).toBeNaN();
        expect(rounded.slice(32)).toEqual(given.slice(32));
      }
    }
  });

  it('become 0 below the range of FP16 scales, and infinite above it', async () => {
    const ops = testOperations();
    expect(await values(ops, roundToCompandedMoment(ops, ops.fromData([2 ** -26, 0])))).toEqual([0, 0]);
    expect(await values(ops, roundToCompandedMoment(ops, ops.fromData([2 ** -24, 0])))).toEqual([2 ** -24, 0]);
    expect(await values(ops, roundToCompandedMoment(ops, ops.fromData([7e4, 7e4])))).toEqual([Infinity, Infinity]);
  });
});
