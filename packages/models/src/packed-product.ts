import { type DrawKey, matrixExtent, type Operations, type PackedMatrix, type Precision, type Tensor } from '@lmd/core';
import { encodeOperand, roundOperand } from './operands.js';
import { isBlockFormat, isExact } from './product-operand.js';

export interface PackedProductOptions {
  readonly precision: Precision;
  readonly key: DrawKey;
  /** Name of the product within the model. */
  readonly product: string;
}

/**
 * x [..., terms] times packed weights, for inference. The weights are the decoded values;
 * `precision.forward.activations` is the format of x. If both are block formats with exact products
 * (`hasExactProducts`, with power-of-two scales, and a backend with the kernels), the result is bit-identical to the
 * product of the codes; otherwise sums are in f32.
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
  // Values that a format represents are encoded without loss if the scale is a power of two.
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
