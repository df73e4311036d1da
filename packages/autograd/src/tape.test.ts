import { isLmdError, type Operations, type Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { expectGradients, float64 } from '../test/support.js';
import { createTape } from './tape.js';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return isLmdError(error) ? error.code : `not an LmdError: ${String(error)}`;
  }
  return 'no error';
}

describe('createTape', () => {
  it('refuses what is no operations, and a backend that does not keep the contract, by name', () => {
    const { ops } = float64();
    const refused = (given: unknown): string => {
      try {
        createTape(given as never);
      } catch (error) {
        return String(error);
      }
      return 'taken';
    };
    expect(refused(undefined)).toMatch(/ops is undefined. Pass createOperations\(backend\)/);
    expect(refused(ops.backend)).toMatch(/ops is a backend/);
    expect(refused(createTape(ops).ops)).toMatch(
      /ops of @lmd\/autograd \S+ lacks softmaxGradient, .*The operations of a tape/,
    );
    for (const member of ['memory', 'supports', 'fused', 'matmul']) {
      const backend = Object.assign(Object.create(ops.backend), { [member]: undefined });
      expect(refused({ ...ops, backend })).toMatch(
        new RegExp(`"reference" of @lmd/backends \\S+ (has ${member} =|lacks ${member})`),
      );
    }
  });

  it('gives gradients for watched tensors, by name, and zeros where the loss does not depend on one', () => {
    const { ops, read } = float64();
    const tape = createTape(ops);
    const [x, y, z] = [ops.fromData([1, 2]), ops.fromData([3, 4]), ops.fromData([[5], [6]].flat(), [2, 1])];
    tape.watch(z);
    const loss = tape.ops.sum(tape.ops.multiply(tape.watch(x), tape.watch(y)));
    const gradients = tape.gradients(loss, { first: x, second: y, third: z });
    expect(Object.keys(gradients)).toEqual(['first', 'second', 'third']);
    expect([...read(gradients.first!)]).toEqual([3, 4]);
    expect([...read(gradients.second!)]).toEqual([1, 2]);
    expect([...read(gradients.third!)]).toEqual([0, 0]);
    expect(gradients.third!.shape).toEqual([2, 1]);
  });

  it('gives gradients for intermediates, and a handle of its own for each name', () => {
    const { ops, read } = float64();
    const tape = createTape(ops);
    const x = tape.watch(ops.fromData([1, 2]));
    const y = tape.ops.multiply(x, 3);
    const loss = tape.ops.sum(tape.ops.multiply(y, y));
    const gradients = tape.gradients(loss, { x, y, again: x, loss });
    expect([...read(gradients.y!)]).toEqual([6, 12]);
    expect([...read(gradients.x!)]).toEqual([18, 36]);
    expect([...read(gradients.loss!)]).toEqual([1]);
    expect(new Set(Object.values(gradients)).size).toBe(4);
    ops.dispose(gradients);
  });

  it('records only what follows from a watched tensor', () => {
    const { ops } = float64();
    const tape = createTape(ops);
    const x = ops.fromData([1, 2]);
    const squares = tape.ops.scope(() => tape.ops.exp(tape.ops.multiply(x, x)));
    expect(ops.memory().tensors, 'the input and the result').toBe(2);
    const weight = tape.watch(ops.fromData([1]));
    const loss = tape.ops.sum(tape.ops.multiply(squares, weight));
    expect(codeOf(() => tape.gradients(loss, { x }))).toBe('INVALID_ARGUMENT');
  });

  it('is used up by gradients and by dispose', () => {
    const { ops } = float64();
    for (const useUp of ['gradients', 'dispose'] as const) {
      const tape = createTape(ops);
      const x = tape.watch(ops.fromData([1, 2]));
      const loss = tape.ops.sum(x);
      if (useUp === 'gradients') tape.gradients(loss, { x });
      else tape.dispose();
      expect(codeOf(() => tape.gradients(loss, { x }))).toBe('INVALID_ARGUMENT');
      expect(codeOf(() => tape.watch(x))).toBe('INVALID_ARGUMENT');
      tape.dispose();
    }
  });

  it('refuses losses that are no scalars, and integer tensors', () => {
    const { ops } = float64();
    const tape = createTape(ops);
    const x = tape.watch(ops.fromData([1, 2]));
    expect(codeOf(() => tape.gradients(tape.ops.exp(x), { x }))).toBe('SHAPE_MISMATCH');
    expect(codeOf(() => tape.watch(ops.fromData(Int32Array.of(1))))).toBe('DTYPE_MISMATCH');
    expect(codeOf(() => tape.gradients(tape.ops.sum(x), { x }))).toBe('no error');
  });

  it('computes as the plain operations do, also what has no gradient', () => {
    const { ops, read } = float64();
    const tape = createTape(ops);
    const key = { seed: 1, stream: 2, step: 3, sample: 4 };
    const calls: ((o: Operations) => Tensor)[] = [
      (o) => o.full([2], 3),
      (o) => o.zeros([2], 'i32'),
      (o) => o.argMax(o.fromData([1, 3, 2])),
      (o) => o.equal(o.fromData([1, 2]), 2),
      (o) => o.greater(o.fromData([1, 2]), 1),
      (o) => o.less(o.fromData([1, 2]), 2),
      (o) => o.cast(o.fromData([1.5, -2.5]), 'i32'),
      (o) => o.randomBits([5], key),
      (o) => o.randomUniform([5], key),
      (o) => o.randomNormal([5], key),
    ];
    for (const call of calls) expect(read(call(tape.ops))).toEqual(read(call(ops)));
    expect(tape.ops.backend).toBe(ops.backend);
  });

  it('differentiates a small network', () => {
    expectGradients(
      (ops, x, w1, b1, w2) => {
        const hidden = ops.scope(() => ops.gelu(ops.add(ops.matmul(x, w1), b1)));
        return ops.scope(() => ops.crossEntropy(ops.matmul(hidden, w2), ops.fromData(Int32Array.of(1, 0, 2))));
      },
      [{ shape: [3, 4] }, { shape: [4, 5] }, { shape: [5] }, { shape: [5, 3] }],
    );
  });
});
