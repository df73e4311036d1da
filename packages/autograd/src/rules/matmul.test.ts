import { describe, expect, it } from 'vitest';
import { expectGradients, float64 } from '../../test/support.js';
import { valueAndGradients } from '../value-and-gradients.js';

const flags = [false, true];
const [m, k, n] = [3, 4, 2];

describe('matmul', () => {
  for (const transposeA of flags) {
    for (const transposeB of flags) {
      const a = transposeA ? [k, m] : [m, k];
      const b = transposeB ? [n, k] : [k, n];
      const cases: [string, number[], number[]][] = [
        ['two matrices', a, b],
        ['a batch each', [2, 3, ...a], [2, 3, ...b]],
        ['a shared second matrix', [2, 3, ...a], b],
        ['a shared first matrix', a, [2, ...b]],
      ];
      for (const [name, shapeA, shapeB] of cases) {
        it(`${name}${transposeA ? ', first transposed' : ''}${transposeB ? ', second transposed' : ''}`, () => {
          expectGradients(
            (ops, x, y) => ops.matmul(x, y, { transposeA, transposeB }),
            [{ shape: shapeA }, { shape: shapeB }],
          );
        });
      }
    }
  }

  it('multiplies a tensor by itself', () => {
    expectGradients((ops, x) => ops.matmul(x, x, { transposeB: true }), [{ shape: [2, 3, 4] }]);
  });

  it('makes the gradient of shared weights in one product, with nothing of batch times weight size', () => {
    const [batch, rows, inputs, outputs] = [16, 2, 20, 30];
    const { ops } = float64();
    const weights = { w: ops.zeros([inputs, outputs]) };
    const x = ops.zeros([batch, rows, inputs]);
    ops.resetPeakMemory();
    const before = ops.memory().bytes;
    valueAndGradients(ops, weights, (tape, { w }) => tape.sum(tape.matmul(x, w!)));
    const products = 3 * batch * rows * outputs * 8;
    expect(ops.memory().peakBytes - before).toBeLessThan(products + 2 * inputs * outputs * 8);
    expect(products + 2 * inputs * outputs * 8).toBeLessThan(batch * inputs * outputs * 8);
  });
});
