import type { Operations, Tensor } from '@lmd/core';

/**
 * Mean cross-entropy over all rows, in nats: a scalar tensor.
 *
 * @param logits [..., classes], f32.
 * @param labels [...], i32: the class of each row.
 * @param softLabels [..., classes], f32: of each row, a distribution q over the classes. With it the loss of a row is
 * −Σ_c q_c log p_c, whatever the class in `labels`; with all of q on the class of `labels` it is the same as without.
 */
export function lossOf(ops: Operations, logits: Tensor, labels: Tensor, softLabels?: Tensor): Tensor {
  const classes = logits.shape.at(-1)!;
  const rows = ops.reshape(logits, [-1, classes]);
  const hard = ops.crossEntropy(rows, ops.reshape(labels, [-1]));
  if (softLabels === undefined) return ops.mean(hard);
  // −Σ_c q_c log p_c = log Σ exp z − Σ_c q_c z_c, and the fused kernel gives log Σ exp z − z_label: what is left is linear in z.
  const range = ops.fromData(
    Int32Array.from({ length: classes }, (_, c) => c),
    [1, classes],
  );
  const oneHot = ops.cast(ops.equal(ops.reshape(labels, [-1, 1]), range), 'f32');
  const difference = ops.subtract(oneHot, ops.reshape(softLabels, [-1, classes]));
  return ops.mean(ops.add(hard, ops.sum(ops.multiply(difference, rows), { axes: 1 })));
}
