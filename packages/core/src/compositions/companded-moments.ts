import type { EagerOperations } from '../operations.js';
import { sizeOf, type Tensor } from '../tensor.js';
import { findBinade } from './binades.js';
import { joinBlocks, planBlocks, splitIntoBlocks } from './blocks.js';

/** Number of consecutive elements, in row-major order, that share a scale; the last group may be shorter. */
export const compandingGroupSize = 32;

/** The authors' least divisor of a group, for one of zeros. */
const smallestMaximum = 1e-12;

/**
 * First moments as 8-bit codes give them back (FlashOptim, arXiv:2602.23349, algorithm 2). With s the largest magnitude
 * of the group and x = |m| / s, the code is ±round(127·2x / (1 + x)), which has finer steps near 0; with z = code / 127
 * it is decoded as z / (2 − |z|)·s, where s was rounded to FP16. f32, of the shape of `moment`.
 */
export function roundToCompandedMoment(ops: EagerOperations, moment: Tensor): Tensor {
  return inGroups(ops, moment, (groups) => {
    const { ratio, scale } = scaled(ops, ops.absolute(groups));
    const code = ops.round(ops.multiply(ops.divide(ops.multiply(ratio, 2), ops.add(ratio, 1)), 127));
    const companded = ops.divide(code, 127);
    const magnitude = ops.multiply(ops.divide(companded, ops.subtract(2, companded)), scale);
    // An integer code has no −0, which the difference is not either.
    return ops.where(ops.less(groups, 0), ops.subtract(0, magnitude), magnitude);
  });
}

/**
 * Second moments as 8-bit codes give them back (FlashOptim, algorithm 3). With s the largest √v of the group, the code
 * is round(255·√v / s); it is decoded as (code / 255·s)², where s was rounded to FP16. f32, of the shape of `moment`.
 */
export function roundToCompandedSquare(ops: EagerOperations, moment: Tensor): Tensor {
  return inGroups(ops, moment, (groups) => {
    const { ratio, scale } = scaled(ops, ops.sqrt(groups));
    const root = ops.multiply(ops.divide(ops.round(ops.multiply(ratio, 255)), 255), scale);
    return ops.multiply(root, root);
  });
}

/** Magnitudes relative to the largest of their group, and that largest one as it is stored. */
function scaled(ops: EagerOperations, magnitudes: Tensor): { ratio: Tensor; scale: Tensor } {
  const largest = ops.maximum(ops.max(magnitudes, { axes: 2, keepDims: true }), smallestMaximum);
  return { ratio: ops.divide(magnitudes, largest), scale: roundToFloat16(ops, largest) };
}

function inGroups(ops: EagerOperations, x: Tensor, round: (groups: Tensor) => Tensor): Tensor {
  const size = sizeOf(x.shape);
  if (size === 0) return ops.reshape(x, x.shape);
  return ops.scope(() => {
    const plan = planBlocks([size], 0, compandingGroupSize);
    const groups = splitIntoBlocks(ops, x, plan);
    return ops.reshape(joinBlocks(ops, round(groups), plan), x.shape);
  });
}

/**
 * Non-negative f32 numbers to the nearest of FP16, ties to even: infinity from 65520, and a spacing of 2^-24 below
 * 2^-14.
 */
export function roundToFloat16(ops: EagerOperations, magnitudes: Tensor): Tensor {
  return ops.scope(() => {
    const bounded = ops.minimum(magnitudes, 2 ** 16);
    const { significand, factor } = findBinade(ops, bounded, -14, 30);
    const value = ops.divide(ops.multiply(ops.round(ops.multiply(significand, 2 ** 24)), 2 ** -24), factor);
    return ops.where(ops.greater(value, 65504), Infinity, value);
  });
}
