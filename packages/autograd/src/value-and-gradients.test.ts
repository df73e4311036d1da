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

  it('hands over each gradient once, when it is complete, before those of earlier layers are computed', () => {
    const { ops, read } = float64();
    const weights = { first: ops.fromData([2]), second: ops.fromData([3]), unused: ops.fromData([5]) };
    const seen: [string, number][] = [];
    let steps = 0;
    const { gradients } = valueAndGradients(
      ops,
      weights,
      (tape, { first, second }) => {
        const hidden = tape.customGradient([tape.multiply(first!, first!)], {
          forward: (plain, [x]) => plain.exp(x!),
          backward(plain, dy, [x]) {
            steps++;
            return [plain.multiply(dy, plain.exp(x!))];
          },
        });
        return tape.sum(tape.add(tape.multiply(hidden, second!), second!));
      },
      {
        onGradient(name, gradient) {
          expect(read(gradient)).toHaveLength(1);
          seen.push([name, steps]);
        },
      },
    );
    // The gradient of `second` is complete before the backward pass comes to the layer of `first`.
    expect(seen).toEqual([
      ['second', 0],
      ['first', 1],
    ]);
    expect(read(gradients.second!)[0]).toBeCloseTo(Math.exp(4) + 1, 9);
    ops.dispose(gradients);
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
