import type { EagerOperations, Tensor } from '@lmd/core';
import type * as tf from '@tensorflow/tfjs-core';
import { withLazyGradients } from './lazy-gradient.js';
import { compute } from './operations.js';
import type { ResolvedPrecision } from './precision.js';

/** One operand, rounded along the axis that the product sums over; `fp32` gives back the operand itself. */
function roundOperand(
  ops: EagerOperations,
  x: Tensor,
  format: ResolvedPrecision['weights'],
  axis: number,
  { rounding, scaleMode }: ResolvedPrecision,
): Tensor {
  if (format === 'fp32') return x;
  if (format === 'bf16') return ops.roundToBfloat16(x);
  return ops.fakeQuantize(x, { format, axis, rounding, scaleMode });
}

/** An operand as a `tf.Tensor` in the current `tf.tidy`. */
export function rounded(
  x: tf.Tensor,
  format: ResolvedPrecision['weights'],
  axis: number,
  precision: ResolvedPrecision,
): tf.Tensor {
  return format === 'fp32' ? x : compute([x], (ops, [handle]) => roundOperand(ops, handle!, format, axis, precision));
}

/** The incoming gradient of a product, rounded once for both backward products. */
export function roundGradient(ops: EagerOperations, dy: Tensor, { gradients }: ResolvedPrecision): Tensor {
  return gradients === 'bf16' ? ops.roundToBfloat16(dy) : dy;
}

/**
 * x [rows, k] · w [k, n] with both operands rounded along k, and the straight-through gradient: dx = dy·Q(w)ᵀ and dw =
 * Q(x)ᵀ·dy with dy rounded to `precision.gradients`. These are the derivatives of the product that ran; only the
 * rounding is passed over. Every value of the MX floating-point formats is a BF16 number, so with `bf16` both backward
 * products are of BF16 operands.
 */
export function roundedProduct(x: tf.Tensor2D, w: tf.Tensor2D, precision: ResolvedPrecision): tf.Tensor2D {
  return withLazyGradients([x, w], () => {
    const a = rounded(x, precision.activations, -1, precision);
    const b = rounded(w, precision.weights, 0, precision);
    return { value: compute([a, b], (ops, [p, q]) => ops.matmul(p!, q!)), saved: [[b], [a]] };
  }, [
    (dy, [b]) =>
      compute([dy, b!], (ops, [d, q]) => ops.matmul(roundGradient(ops, d!, precision), q!, { transposeB: true })),
    (dy, [a]) =>
      compute([dy, a!], (ops, [d, p]) => ops.matmul(p!, roundGradient(ops, d!, precision), { transposeA: true })),
  ]) as tf.Tensor2D;
}
