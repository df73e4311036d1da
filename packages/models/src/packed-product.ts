import { type DrawKey, matrixExtent, type Operations, type PackedMatrix, type Precision, type Tensor } from '@lmd/core';
import { encodeOperand, roundOperand } from './operands.js';
import { isBlockFormat, isExact } from './product-operand.js';

export interface PackedProductOptions {
  readonly precision: Precision;
  readonly key: DrawKey;
  /** Names the product within the model. */
  readonly product: string;
}

/**
 * x [..., terms] times packed weights, for inference. The weights are what their codes stand for; of `precision`, `forward.activations`
 * says how x is rounded. Where both are block formats of exact products (`hasExactProducts`, with scales that are powers of two, and a
 * backend with the kernels), the product is that of the codes, to the bit; else sums are in f32.
 */
export function packedProduct(
  ops: Operations,
  x: Tensor,
  matrix: PackedMatrix,
  { precision, key, product }: PackedProductOptions,
): Tensor {
  const { activations } = precision.forward;
  const name = { key, name: `${product}/forward/first` };
  const { format } = matrix;
  // Values on the grid of a format are encoded without loss where a scale is a power of two.
  const exact = isBlockFormat(activations) && format.scale === 'e8m0' && isExact(ops, activations, { format });
  if (!exact) return ops.packedMatmul(roundOperand(ops, x, activations, -1, name), matrix);
  return ops.scope(() => {
    const { terms, rows } = matrixExtent(matrix);
    const lines = ops.reshape(x, [-1, terms]);
    const weights = encodeOperand(ops, ops.decodeMatrix(matrix), { format }, -1, name);
    const y = ops.blockMatmul(encodeOperand(ops, lines, activations, -1, name), weights);
    return ops.reshape(y, [...x.shape.slice(0, -1), rows]);
  });
}
