import { describe, expect, it } from 'vitest';
import { float64 } from '../test/support.js';
import { valueAndGradients } from './value-and-gradients.js';

describe('valueAndGradients', () => {
  it('gives the value and the gradients, and leaves nothing else', () => {
    const { ops, read } = float64();
    const weights = { a: ops.fromData([1, 2]), b: ops.fromData([3, 4]), unused: ops.fromData([5]) };
    const { value, gradients } = valueAndGradients(ops, weights, (tape, { a, b }) => tape.sum(tape.multiply(a!, b!)));
    expect([...read(value)]).toEqual([11]);
    expect(Object.fromEntries(Object.entries(gradients).map(([name, x]) => [name, [...read(x)]]))).toEqual({
      a: [3, 4],
      b: [1, 2],
      unused: [0],
    });
    expect(ops.memory().tensors).toBe(3 + 1 + 3);
  });

  it('takes a weight, or a constant, as the loss', () => {
    const { ops, read } = float64();
    const weights = { w: ops.full([], 7) };
    const itself = valueAndGradients(ops, weights, (_, { w }) => w!);
    expect([read(itself.value)[0], read(itself.gradients.w!)[0]]).toEqual([7, 1]);
    ops.dispose(itself.value);
    expect(ops.isDisposed(weights.w)).toBe(false);
    const constant = valueAndGradients(ops, weights, (tape) => tape.full([], 3));
    expect([read(constant.value)[0], read(constant.gradients.w!)[0]]).toEqual([3, 0]);
  });

  it('shares one weight under two names', () => {
    const { ops, read } = float64();
    const tied = ops.fromData([2]);
    const { gradients } = valueAndGradients(ops, { a: tied, b: tied }, (tape, { a, b }) =>
      tape.sum(tape.multiply(a!, b!)),
    );
    expect([read(gradients.a!)[0], read(gradients.b!)[0]]).toEqual([4, 4]);
    ops.dispose(gradients);
  });
});
