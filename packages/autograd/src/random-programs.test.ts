import type { Operations, Tensor } from '@lmd/core';
import { expect, it } from 'vitest';
import { float64, integerIn, type Random, randomFrom } from '../test/support.js';
import { valueAndGradients } from './index.js';

const steps: readonly ((ops: Operations, a: Tensor, b: Tensor) => Tensor)[] = [
  (ops, a, b) => ops.multiply(a, b),
  (ops, a, b) => ops.add(a, b),
  (ops, a, b) => ops.maximum(a, b),
  (ops, a, b) => ops.subtract(ops.tanh(a), ops.mean(b, { axes: 0, keepDims: true })),
  (ops, a, b) => ops.matmul(a, b),
  (ops, a, b) => ops.concatenate([ops.slice(a, [0, 0], [1, 3]), ops.slice(b, [1, 0], [2, 3])], 0),
  (ops, a, b) => ops.where(ops.greater(a, b), ops.transpose(a), ops.softmax(b)),
  (ops, a) => ops.multiply(ops.round(a), 2),
  (ops, a, b) =>
    ops.customGradient([a, b], {
      forward: (plain, [x, y]) => plain.multiply(plain.sign(x!), y!),
      backward: (plain, dy, [x, y]) => [plain.multiply(dy, y!), plain.multiply(dy, plain.sign(x!))],
      saves: { output: false },
    }),
];

/**
 * A random program on 3×3 matrices: operations on earlier results, alone or in nested scopes that return some of
 * theirs. With `tidy`, scopes are real and results are freed at random once the program has no more use for them;
 * without, nothing is freed before the end. Both ways it makes the same choices.
 */
function program(ops: Operations, inputs: readonly Tensor[], random: Random, tidy: boolean): Tensor {
  const run = (available: readonly Tensor[], depth: number): Tensor[] => {
    const results: Tensor[] = [];
    for (let i = integerIn(random, 2, 5); i > 0; i--) {
      const pool = [...available, ...results];
      const pick = () => pool[integerIn(random, 0, pool.length - 1)]!;
      if (depth < 3 && random() < 0.4) {
        const inner = () => run(pool, depth + 1).filter(() => random() < 0.6);
        results.push(...(tidy ? ops.scope(inner) : inner()));
      } else {
        const step = steps[integerIn(random, 0, steps.length - 1)]!;
        results.push(ops.tanh(step(ops, pick(), pick())));
      }
      if (results.length > 2 && random() < 0.3) {
        const [gone] = results.splice(integerIn(random, 0, results.length - 1), 1);
        if (tidy) ops.dispose(gone!);
      }
    }
    return results;
  };
  const results = [...run(inputs, 0), inputs[0]!];
  return ops.sum(results.reduce((a, b) => ops.add(a, b)));
}

it('gives the same gradients however scopes and disposals fall, and leaves nothing behind', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const { ops, read } = float64();
    const random = randomFrom(1000 + seed);
    const matrix = () =>
      ops.fromData(
        Float64Array.from({ length: 9 }, () => 4 * random() - 2),
        [3, 3],
      );
    const weights = { a: matrix(), b: matrix() };
    const constant = matrix();
    const run = (tidy: boolean) => {
      const { value, gradients } = valueAndGradients(ops, weights, (tape, { a, b }) =>
        program(tape, [a!, b!, constant], randomFrom(seed), tidy),
      );
      expect(ops.memory().tensors, `seed ${seed}`).toBe(3 + 1 + 2);
      const numbers = [value, gradients.a!, gradients.b!].map((x) => [...read(x)]);
      ops.dispose([value, ...Object.values(gradients)]);
      return numbers;
    };
    expect(run(true), `seed ${seed}`).toEqual(run(false));
  }
});
