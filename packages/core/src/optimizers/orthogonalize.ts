import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';

/**
 * Coefficients of x ← a·x + b·x³ + c·x⁵ on the singular values (Jordan et al. 2024, "Muon: An optimizer for hidden
 * layers in neural networks"), chosen for the steepest slope at 0: after five iterations singular values from about
 * 0.002 of the norm upward are between 0.68 and 1.21, not exactly 1.
 */
export const newtonSchulzCoefficients = [3.4445, -4.775, 2.0315] as const;

/** Norms below this are not divided by, so that a momentum of 0 gives 0. */
const smallestNorm = 1e-7;

/** f32, or every intermediate result rounded to BF16, as implementations on tensor cores have it. */
export type IterationFormat = 'f32' | 'bf16';

/**
 * Approximates the nearest semi-orthogonal matrix of a matrix [rows, columns], U·Vᵀ of its singular value
 * decomposition, by Newton–Schulz iterations. Each is three products, of which the shared extent is the smaller one.
 */
export function orthogonalize(
  ops: EagerOperations,
  matrix: Tensor,
  iterations: number,
  format: IterationFormat,
): Tensor {
  const [a, b, c] = newtonSchulzCoefficients;
  const [rows, columns] = matrix.shape as readonly [number, number];
  const rounded = (x: Tensor) => (format === 'bf16' ? ops.roundToBfloat16(x) : x);
  return ops.scope(() => {
    const isTall = rows > columns;
    let x = ops.scope(() => {
      const wide = rounded(isTall ? ops.transpose(matrix) : matrix);
      const norm = rounded(ops.sqrt(ops.sum(ops.multiply(wide, wide))));
      return rounded(ops.divide(wide, ops.maximum(norm, smallestNorm)));
    });
    for (let iteration = 0; iteration < iterations; iteration++) {
      const before = x;
      x = ops.scope(() => {
        const gram = rounded(ops.matmul(before, before, { transposeB: true }));
        const polynomial = rounded(ops.add(ops.multiply(gram, b), ops.multiply(ops.matmul(gram, gram), c)));
        return rounded(ops.add(ops.multiply(before, a), ops.matmul(polynomial, before)));
      });
      ops.dispose(before);
    }
    return isTall ? ops.transpose(x) : x;
  });
}
