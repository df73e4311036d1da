import type { Operations, Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { expectGradients, float64, type Input, integerIn, type Random, randomFrom } from '../../test/support.js';
import { valueAndGradients } from '../value-and-gradients.js';

/** Away from the kinks and poles at 0, on both sides of it. */
const apart = (random: Random) => (random() < 0.5 ? -1 : 1) * (0.3 + random());
const positive = (random: Random) => 0.3 + 2 * random();

/** Two shapes that broadcast: some axes are 1 on one side, and one side may lack leading axes. */
function broadcastable(random: Random): [number[], number[]] {
  const full = Array.from({ length: integerIn(random, 1, 4) }, () => integerIn(random, 1, 4));
  const thin = (shape: number[]) => shape.map((extent) => (random() < 0.4 ? 1 : extent));
  const shapes: [number[], number[]] = [thin(full), thin(full).slice(integerIn(random, 0, full.length))];
  return random() < 0.5 ? shapes : [shapes[1], shapes[0]];
}

describe('unary operations', () => {
  const cases: [string, (ops: Operations, x: Tensor) => Tensor, Input['values']?][] = [
    ['negate', (ops, x) => ops.negate(x)],
    ['absolute', (ops, x) => ops.absolute(x), apart],
    ['exp', (ops, x) => ops.exp(x)],
    ['log', (ops, x) => ops.log(x), positive],
    ['sqrt', (ops, x) => ops.sqrt(x), positive],
    ['tanh', (ops, x) => ops.tanh(x)],
    ['erf', (ops, x) => ops.erf(x)],
  ];
  for (const [name, f, values] of cases) {
    it(name, () => {
      for (const shape of [[], [1], [5], [2, 3, 2]]) expectGradients(f, [values ? { shape, values } : { shape }]);
    });
  }
});

describe('binary operations, broadcasting', () => {
  const cases: [string, (ops: Operations, a: Tensor, b: Tensor) => Tensor, Input['values']?][] = [
    ['add', (ops, a, b) => ops.add(a, b)],
    ['subtract', (ops, a, b) => ops.subtract(a, b)],
    ['multiply', (ops, a, b) => ops.multiply(a, b)],
    ['divide', (ops, a, b) => ops.divide(a, b), apart],
    ['maximum', (ops, a, b) => ops.maximum(a, b)],
    ['minimum', (ops, a, b) => ops.minimum(a, b)],
  ];
  for (const [name, f, values] of cases) {
    it(name, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const inputs = broadcastable(randomFrom(seed)).map((shape) => (values ? { shape, values } : { shape }));
        expectGradients(f, inputs, seed);
      }
    });
  }

  it('takes numbers on either side', () => {
    const shape = [2, 3];
    const values = apart;
    expectGradients((ops, x) => ops.subtract(3, ops.multiply(x, 2)), [{ shape }]);
    expectGradients((ops, x) => ops.divide(3, ops.divide(x, 2)), [{ shape, values }]);
    expectGradients((ops, x) => ops.maximum(0, ops.add(x, 0.1)), [{ shape, values }]);
    expectGradients((ops, x) => ops.minimum(ops.add(1, x), 0.5), [{ shape }]);
  });

  it('adds up the gradients of a tensor that is used twice', () => {
    expectGradients((ops, x) => ops.add(x, x), [{ shape: [3] }]);
    expectGradients((ops, x) => ops.multiply(x, ops.multiply(x, x)), [{ shape: [3] }]);
    expectGradients((ops, x) => ops.divide(x, x), [{ shape: [3], values: apart }]);
  });
});

describe('where', () => {
  it('sends each gradient to the side that was chosen, with all three broadcast', () => {
    const choose = (ops: Operations, a: Tensor, b: Tensor) =>
      ops.where(ops.fromData(Int32Array.of(1, 0, 1), [3]), a, b);
    expectGradients(choose, [{ shape: [2, 3] }, { shape: [2, 1] }]);
    expectGradients(choose, [{ shape: [] }, { shape: [2, 3] }]);
    expectGradients((ops, a) => ops.where(ops.greater(a, 0), a, 0), [{ shape: [2, 3] }]);
  });

  it('keeps a NaN of the side not chosen out of the gradient', () => {
    const { ops, read } = float64();
    const x = ops.fromData([-1, 4]);
    const { gradients } = valueAndGradients(ops, { x }, (tape, w) =>
      tape.sum(tape.where(tape.greater(w.x!, 0), tape.multiply(w.x!, 3), Number.NaN)),
    );
    expect([...read(gradients.x!)]).toEqual([0, 3]);
  });
});

describe('choices at ties and steps', () => {
  const gradientAt = (values: number[], f: (ops: Operations, x: Tensor) => Tensor): number[] => {
    const { ops, read } = float64();
    const x = ops.fromData(values);
    const { gradients } = valueAndGradients(ops, { x }, (tape, w) => tape.sum(f(tape, w.x!)));
    return [...read(gradients.x!)];
  };

  it('halves the gradient where maximum and minimum meet equal values', () => {
    expect(gradientAt([1, 2, 3], (ops, x) => ops.maximum(x, 2))).toEqual([0, 0.5, 1]);
    expect(gradientAt([1, 2, 3], (ops, x) => ops.minimum(x, 2))).toEqual([1, 0.5, 0]);
  });

  it('lets a NaN through maximum keep its gradient', () => {
    expect(gradientAt([Number.NaN], (ops, x) => ops.multiply(ops.maximum(x, 2), x))).toEqual([Number.NaN]);
  });

  it('gives sign and round a gradient of zero', () => {
    expect(gradientAt([-1.5, 0, 2.5], (ops, x) => ops.sign(x))).toEqual([0, 0, 0]);
    expect(gradientAt([-1.5, 0, 2.5], (ops, x) => ops.add(ops.round(x), x))).toEqual([1, 1, 1]);
  });

  it('takes the gradient of absolute at 0 as 0', () => {
    expect(gradientAt([-2, 0, 2], (ops, x) => ops.absolute(x))).toEqual([-1, 0, 1]);
  });
});
