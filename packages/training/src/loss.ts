import type { Operations, Tensor } from '@lmd/core';

/**
 * Mean cross-entropy over all rows, in nats: a scalar tensor.
 *
 * @param logits [..., classes], f32.
 * @param labels [...], i32: the class of each row.
 */
export function lossOf(ops: Operations, logits: Tensor, labels: Tensor): Tensor {
  const classes = logits.shape.at(-1)!;
  return ops.mean(ops.crossEntropy(ops.reshape(logits, [-1, classes]), ops.reshape(labels, [-1])));
}
