import type { ReduceOptions } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { expectGradients, float64, integerIn, randomFrom } from '../../test/support.js';
import { valueAndGradients } from '../value-and-gradients.js';

/** A random shape, and axes of it: a number, some of either sign, or all. */
function reduction(seed: number): { shape: number[]; options: ReduceOptions } {
  const random = randomFrom(seed);
  const shape = Array.from({ length: integerIn(random, 1, 4) }, () => integerIn(random, 1, 4));
  const signed = (axis: number) => (random() < 0.5 ? axis : axis - shape.length);
  const some = shape.map((_, axis) => axis).filter(() => random() < 0.5);
  const axes = [undefined, signed(integerIn(random, 0, shape.length - 1)), some.map(signed)][seed % 3];
  const keepDims = random() < 0.5;
  return { shape, options: axes === undefined ? { keepDims } : { axes, keepDims } };
}

describe('reductions', () => {
  for (const name of ['sum', 'mean', 'max'] as const) {
    it(`${name}, over any axes, kept or not`, () => {
      for (let seed = 1; seed <= 18; seed++) {
        const { shape, options } = reduction(seed);
        expectGradients((ops, x) => ops[name](x, options), [{ shape }], seed);
      }
      expectGradients((ops, x) => ops[name](x), [{ shape: [] }]);
    });
  }

  it('shares the gradient of max equally among the maxima', () => {
    const { ops, read } = float64();
    const x = ops.fromData([5, 5, 1, 2, 7, 7], [2, 3]);
    const { gradients } = valueAndGradients(ops, { x }, (tape, w) => tape.sum(tape.max(w.x!, { axes: 1 })));
    expect([...read(gradients.x!)]).toEqual([0.5, 0.5, 0, 0, 0.5, 0.5]);
  });

  it('does not hide a NaN behind the gradient of max', () => {
    const { ops, read } = float64();
    const x = ops.fromData([1, Number.NaN, 3]);
    const { gradients } = valueAndGradients(ops, { x }, (tape, w) => tape.max(w.x!));
    expect(read(gradients.x!).every(Number.isNaN)).toBe(true);
  });
});
