import { type CustomGradient, isLmdError, type Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { expectGradients, float64 } from '../../test/support.js';
import { valueAndGradients } from '../value-and-gradients.js';

/** x·y, the long way. */
const product: CustomGradient = {
  forward: (ops, [x, y]) => ops.exp(ops.add(ops.log(x!), ops.log(y!))),
  backward: (ops, dy, [x, y]) => [ops.multiply(dy, y!), ops.multiply(dy, x!)],
};

const positive = (random: () => number) => 0.5 + random();

function gradientsWith(gradient: CustomGradient): { dx: number[]; dy: number[]; left: number } {
  const { ops, read } = float64();
  const weights = { x: ops.fromData([1.4, 2.6]), y: ops.fromData([3, 4]) };
  const result = valueAndGradients(ops, weights, (tape, { x, y }) => tape.sum(tape.customGradient([x!, y!], gradient)));
  const [dx, dy] = [[...read(result.gradients.x!)], [...read(result.gradients.y!)]];
  ops.dispose(result.value);
  ops.dispose(result.gradients);
  return { dx, dy, left: ops.memory().tensors - 2 };
}

describe('customGradient', () => {
  it('is differentiated as its backward says', () => {
    const inputs = [
      { shape: [2, 3], values: positive },
      { shape: [2, 3], values: positive },
    ];
    expectGradients((ops, x, y) => ops.customGradient([x, y], product), inputs);
    expectGradients((ops, x) => ops.customGradient([x, x], product), inputs.slice(1));
  });

  it('passes a gradient straight through a rounding', () => {
    const straightThrough: CustomGradient = {
      forward: (ops, [x, y]) => ops.multiply(ops.round(x!), y!),
      backward: (_, dy) => [dy, null],
      saves: { inputs: [], output: false },
    };
    expect(gradientsWith(straightThrough)).toEqual({ dx: [1, 1], dy: [0, 0], left: 0 });
  });

  it('may give back its inputs, its output and one tensor twice', () => {
    const identity: CustomGradient = { forward: (_, [x]) => x!, backward: (_, _dy, [x], output) => [x!, output] };
    expect(gradientsWith(identity)).toEqual({ dx: [1.4, 2.6], dy: [1.4, 2.6], left: 0 });
    const twice: CustomGradient = {
      forward: (ops, [x]) => ops.exp(x!),
      backward: (ops, dy) => {
        const doubled = ops.multiply(dy, 2);
        return [doubled, doubled];
      },
    };
    expect(gradientsWith(twice)).toEqual({ dx: [2, 2], dy: [2, 2], left: 0 });
  });

  it('keeps what its forward asks to keep until the backward has run, and no longer', () => {
    const { ops } = float64();
    let kept: Tensor | undefined;
    const squared: CustomGradient = {
      forward(plain, [x], keep) {
        kept = plain.multiply(x!, 2);
        plain.exp(x!);
        keep({ kept });
        return plain.multiply(x!, x!);
      },
      backward: (plain, dy) => [plain.multiply(dy, kept!)],
      saves: { inputs: [], output: false },
    };
    const x = ops.fromData([3, 4]);
    const before = ops.memory().tensors;
    const { value, gradients } = valueAndGradients(ops, { x }, (tape, { x: tracked }) => {
      const y = tape.scope(() => tape.customGradient([tracked!], squared));
      expect(ops.isDisposed(kept!)).toBe(false);
      return tape.sum(y);
    });
    expect(ops.isDisposed(kept!)).toBe(true);
    ops.dispose(value);
    ops.dispose(gradients);
    // Where nothing is differentiated, nothing is kept: on a tape or without one.
    const other = valueAndGradients(ops, { x }, (tape, { x: tracked }) => {
      tape.dispose(tape.customGradient([tape.scope(() => x)], squared));
      return tape.sum(tracked!);
    });
    ops.dispose(other.value);
    ops.dispose(other.gradients);
    ops.dispose(ops.customGradient([x], squared));
    expect(ops.memory().tensors).toBe(before);
  });

  it('says which gradients are wanted, and accepts null for the others', () => {
    const { ops, read } = float64();
    const constant = ops.fromData([3, 4]);
    const { gradients } = valueAndGradients(ops, { x: ops.fromData([1, 2]) }, (tape, { x }) =>
      tape.sum(
        tape.customGradient([x!, constant], {
          forward: (plain, [a, b]) => plain.multiply(a!, b!),
          backward(plain, dy, [, b], _output, needsGradient) {
            expect(needsGradient).toEqual([true, false]);
            return [plain.multiply(dy, b!), null];
          },
        }),
      ),
    );
    expect([...read(gradients.x!)]).toEqual([3, 4]);
  });

  it('frees what its backward does not read', () => {
    const live = (saves?: CustomGradient['saves']) => {
      const { ops } = float64();
      const during: number[] = [];
      valueAndGradients(ops, { x: ops.fromData([1]) }, (tape, { x }) => {
        const y = tape.scope(() =>
          tape.customGradient([tape.negate(x!)], {
            forward: (plain, [a]) => plain.exp(a!),
            backward: (_, dy: Tensor) => [dy],
            ...(saves ? { saves } : {}),
          }),
        );
        const z = tape.add(y, 1);
        tape.dispose(y);
        during.push(tape.memory().tensors);
        return tape.sum(z);
      });
      return during[0]!;
    };
    // x and z, and what is saved.
    expect(live({ inputs: [], output: false })).toBe(2);
    expect(live({ inputs: [0], output: false })).toBe(3);
    expect(live({ inputs: [], output: true })).toBe(3);
    expect(live()).toBe(4);
  });

  it('refuses gradients of a wrong number or shape', () => {
    const attempt = (backward: CustomGradient['backward']) => {
      try {
        gradientsWith({ ...product, backward });
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(
      isLmdError(
        attempt((_, dy) => [dy]),
        'INVALID_ARGUMENT',
      ),
    ).toBe(true);
    expect(
      isLmdError(
        attempt((ops, dy) => [ops.sum(dy), null]),
        'SHAPE_MISMATCH',
      ),
    ).toBe(true);
  });
});
