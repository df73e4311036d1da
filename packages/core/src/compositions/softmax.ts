import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';

const lastAxis = { axes: -1, keepDims: true } as const;

/** softmax along the last axis; the maximum is subtracted first, so that no exponential overflows. */
export function softmax(ops: EagerOperations, x: Tensor): Tensor {
  return ops.scope(() => {
    const exponentials = ops.exp(ops.subtract(x, ops.max(x, lastAxis)));
    return ops.divide(exponentials, ops.sum(exponentials, lastAxis));
  });
}

/** dx = y · (dy − Σ y · dy), from the result y of `softmax`. */
export function softmaxGradient(ops: EagerOperations, y: Tensor, dy: Tensor): Tensor {
  return ops.scope(() => {
    const mean = ops.sum(ops.multiply(y, dy), lastAxis);
    return ops.multiply(y, ops.subtract(dy, mean));
  });
}
