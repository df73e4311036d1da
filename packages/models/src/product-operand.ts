import {
  type EncodedOperand,
  hasExactProducts,
  type OperandPrecision,
  type Operations,
  type Quantization,
  type Tensor,
} from '@lmd/core';
import { encodeOperand, type OperandName, roundOperand } from './operands.js';

/** One operand of one product, before quantization. */
export interface ProductOperand {
  readonly tensor: Tensor;
  readonly precision: OperandPrecision;
  /** The axis that the product contracts: −1 or −2. */
  readonly axis: -1 | -2;
  /** Name of the operand, for its noise. */
  readonly name: OperandName;
  /** Whether it is already quantized or encoded. */
  readonly rounded?: Tensor;
  readonly encoded?: EncodedOperand;
}

export function isBlockFormat(precision: OperandPrecision): precision is Quantization {
  return precision !== 'f32' && precision !== 'bf16';
}

/**
 * Whether a product of operands in these precisions is computed exactly from their codes, which requires that both
 * formats allow it and the backend has the kernels. Core's composition is bit-identical but slower than the product of
 * the quantized operands, which is used without the kernels.
 */
export function isExact(ops: Operations, a: OperandPrecision, b: OperandPrecision): boolean {
  if (!isBlockFormat(a) || !isBlockFormat(b)) return false;
  return ops.backend?.fused.blockMatmul !== undefined && hasExactProducts(a.format, b.format);
}

/** The product that contracts `a.axis` with `b.axis`: [..., m, n] of m rows of `a` and n of `b`. */
export function multiply(ops: Operations, a: ProductOperand, b: ProductOperand): Tensor {
  return ops.scope(() => {
    if (isExact(ops, a.precision, b.precision)) return ops.blockMatmul(encoded(ops, a), encoded(ops, b));
    return ops.matmul(rounded(ops, a), rounded(ops, b), { transposeA: a.axis === -2, transposeB: b.axis === -1 });
  });
}

export function encoded(ops: Operations, operand: ProductOperand): EncodedOperand {
  const { tensor, precision, axis, name } = operand;
  return operand.encoded ?? encodeOperand(ops, tensor, precision as Quantization, axis, name);
}

function rounded(ops: Operations, { tensor, precision, axis, name, rounded }: ProductOperand): Tensor {
  return rounded ?? roundOperand(ops, tensor, precision, axis, name);
}
