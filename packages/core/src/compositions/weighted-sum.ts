import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';

/** α·x + β·y. */
export function weightedSum(ops: EagerOperations, x: Tensor, alpha: number, y: Tensor, beta: number): Tensor {
  return ops.scope(() => ops.add(ops.multiply(x, alpha), ops.multiply(y, beta)));
}
