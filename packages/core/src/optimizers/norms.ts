import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';

/**
 * Scale factors by the largest magnitude, in ascending order: [bound, scale]. They are powers of two, so that scaling
 * is exact, and bring the largest magnitude to within 2^±45: its square, and a sum of billions of squares, neither
 * overflow nor underflow.
 */
const scales = [
  [2 ** -80, 2 ** 56],
  [2 ** -32, 1],
  [2 ** 32, 2 ** -56],
  [2 ** 80, 2 ** -104],
] as const;

/** For what is below the first bound. */
const scaleOfTheSmallest = 2 ** 104;

/** The largest magnitude in any of the tensors, a scalar; NaN where one is NaN. */
export function largestMagnitude(ops: EagerOperations, tensors: readonly Tensor[]): Tensor {
  return ops.scope(() => {
    let largest = ops.zeros([]);
    for (const tensor of tensors) {
      largest = ops.scope(() => ops.maximum(largest, ops.max(ops.absolute(tensor))));
    }
    return largest;
  });
}

/**
 * The power of two by which numbers of this largest magnitude are multiplied before they are squared. 1 for all that is
 * usual.
 */
export function safeScale(ops: EagerOperations, largest: Tensor): Tensor {
  return ops.scope(() => {
    let scale = ops.full([], scaleOfTheSmallest);
    for (const [bound, next] of scales) scale = ops.where(ops.less(largest, bound), scale, next);
    return scale;
  });
}

/**
 * Σ (scale·x)² over all tensors, a scalar. By name, so that the order of a record, which rounding would show, changes
 * no bit.
 */
export function scaledSquares(ops: EagerOperations, tensors: NamedTensors, scale: Tensor): Tensor {
  return ops.scope(() => {
    let squares = ops.zeros([]);
    for (const name of Object.keys(tensors).sort()) {
      squares = ops.scope(() => {
        const scaled = ops.multiply(tensors[name]!, scale);
        return ops.add(squares, ops.sum(ops.multiply(scaled, scaled)));
      });
    }
    return squares;
  });
}
