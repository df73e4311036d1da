import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { findFloat32Binade } from './binades.js';
import { largestFloat32 } from './float32.js';

/**
 * BF16 has 7 mantissa bits and the exponents of f32: each value is scaled to [128, 256), rounded to an integer (ties to
 * even) and scaled back. The lift of 126 gives all subnormals the one spacing 2^-133. The values must be f32 ones: a
 * backend that stores more rounds its inputs first.
 */
export function roundToBfloat16(ops: EagerOperations, x: Tensor): Tensor {
  return ops.scope(() => {
    const { significand, factor } = findFloat32Binade(ops, ops.absolute(x), 126);
    const rounded = ops.multiply(ops.round(ops.multiply(significand, 2 ** 7)), 2 ** -7);
    const magnitude = ops.divide(rounded, factor);
    // In f32 the division has overflowed by itself; where more is stored it has not.
    const bounded = ops.where(ops.greater(magnitude, largestFloat32), Infinity, magnitude);
    const signed = ops.where(ops.less(x, 0), ops.negate(bounded), bounded);
    return ops.where(ops.equal(x, 0), x, signed);
  });
}
