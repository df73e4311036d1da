import { describe, expect, it } from 'vitest';
import { expectGradients, float64 } from '../../test/support.js';
import { valueAndGradients } from '../value-and-gradients.js';

describe('gather and scatterAdd', () => {
  it('gather, with repeated and unused rows', () => {
    expectGradients((ops, x) => ops.gather(x, ops.fromData(Int32Array.of(2, 0, 2, 3), [2, 2])), [{ shape: [5, 3] }]);
    expectGradients((ops, x) => ops.gather(x, ops.fromData(Int32Array.of(1, 1), [2])), [{ shape: [3] }]);
  });

  it('scatterAdd, with repeats and with indices out of range, which it ignores', () => {
    expectGradients(
      (ops, x) => ops.scatterAdd(ops.fromData(Int32Array.of(2, 0, 2, 4, -1, 1), [2, 3]), x, 4),
      [{ shape: [2, 3, 2] }],
    );
  });

  it('gather gives no gradient to rows out of range', () => {
    const { ops, read } = float64();
    const x = ops.fromData([1, 2]);
    const { gradients } = valueAndGradients(ops, { x }, (tape, w) =>
      tape.sum(tape.gather(w.x!, tape.fromData(Int32Array.of(0, 7)))),
    );
    expect([...read(gradients.x!)]).toEqual([1, 0]);
  });
});
