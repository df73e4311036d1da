import type { EagerOperations, Operations, Tensor } from '@lmd/core';
import type { Recorder } from '../recorder.js';

/**
 * Matrix products. If one operand has rank 2 and is shared by a batch, as weights are, its gradient is a single product
 * over batch and rows together, [batch·m, k]ᵀ·[batch·m, n], without a tensor of batch × weight size.
 */
export function matrixProduct({ ops, record }: Recorder): Pick<Operations, 'matmul'> {
  return {
    matmul(a, b, options = {}) {
      const transposeA = options.transposeA ?? false;
      const transposeB = options.transposeB ?? false;
      return record('matmul', [a, b], ops.matmul(a, b, options), [
        { saves: [b], gradient: (dy) => gradientOfFirst(ops, a.shape.length, b, dy, transposeA, transposeB) },
        { saves: [a], gradient: (dy) => gradientOfSecond(ops, a, b.shape.length, dy, transposeA, transposeB) },
      ]);
    },
  };
}

/** y = op(a)·op(b): d/da is dy·op(b)ᵀ, or its transpose op(b)·dyᵀ if a is stored transposed. */
function gradientOfFirst(
  ops: EagerOperations,
  rank: number,
  b: Tensor,
  dy: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): Tensor {
  if (rank === 2 && b.shape.length > 2) {
    // Rows of the fold are (batch, n), so dy [.., m, n] and op(b) [.., k, n] are both transposed.
    const byColumn = foldRows(ops, ops.transpose(dy));
    const columns = foldRows(ops, transposeB ? b : ops.transpose(b));
    return transposeA
      ? ops.matmul(columns, byColumn, { transposeA: true })
      : ops.matmul(byColumn, columns, { transposeA: true });
  }
  return transposeA
    ? ops.matmul(b, dy, { transposeA: transposeB, transposeB: true })
    : ops.matmul(dy, b, { transposeB: !transposeB });
}

/** y = op(a)·op(b): d/db is op(a)ᵀ·dy, or its transpose dyᵀ·op(a) if b is stored transposed. */
function gradientOfSecond(
  ops: EagerOperations,
  a: Tensor,
  rank: number,
  dy: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): Tensor {
  if (rank === 2 && a.shape.length > 2) {
    const rows = foldRows(ops, transposeA ? ops.transpose(a) : a);
    const rowGradients = foldRows(ops, dy);
    return transposeB
      ? ops.matmul(rowGradients, rows, { transposeA: true })
      : ops.matmul(rows, rowGradients, { transposeA: true });
  }
  return transposeB
    ? ops.matmul(dy, a, { transposeA: true, transposeB: transposeA })
    : ops.matmul(a, dy, { transposeA: !transposeA });
}

/** [..., m, n] → [batch·m, n]. */
function foldRows(ops: EagerOperations, x: Tensor): Tensor {
  const width = x.shape.at(-1)!;
  const rows = x.shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
  return ops.reshape(x, [rows, width]);
}
