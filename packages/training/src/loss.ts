import type { ForwardContext, NamedTensors, Operations, Tensor } from '@lmd/core';

/** The tensors of a batch, or of a micro-batch, for a custom loss. */
export interface LossBatch {
  /** [examples, ...inputShape]. */
  readonly inputs: Tensor;
  /** i32, [examples, ...]. */
  readonly labels: Tensor;
  readonly softLabels?: Tensor | undefined;
}

/**
 * A custom loss of `train`: a scalar tensor, the mean over the examples of the batch, differentiable in `weights`. It
 * runs the forward pass itself, with `context`. It must depend only on its arguments: noise comes from `context.key`,
 * which differs for each step, posterior sample and micro-batch, so that a resumed run stays bit-identical.
 */
export type LossFunction = (
  ops: Operations,
  weights: NamedTensors,
  batch: LossBatch,
  context: ForwardContext,
) => Tensor;

/**
 * Mean cross-entropy over the rows whose label is not negative, in nats: a scalar tensor. 0 if all labels are negative.
 *
 * @param logits [..., classes], f32.
 * @param labels [...], i32: the class of each row; rows with a negative one (usually −100, for padding) are ignored.
 * @param softLabels [..., classes], f32: a distribution q over the classes for each row. The loss of a row is then −Σ_c
 * q_c log p_c, independent of the class in `labels`; if q is one-hot at the class of `labels`, the loss is the same as
 * without.
 */
export function lossOf(ops: Operations, logits: Tensor, labels: Tensor, softLabels?: Tensor): Tensor {
  const losses = rowLosses(ops, logits, labels, softLabels, true);
  const counted = ops.sum(ops.cast(ops.greater(labels, -1), 'f32'));
  return ops.divide(ops.sum(losses), ops.maximum(counted, 1));
}

/** The mean of the losses that are included; the others are 0. */
export function meanOfCounted(ops: Operations, losses: Tensor, counted: number): Tensor {
  if (counted === losses.shape[0]) return ops.mean(losses);
  return ops.multiply(ops.sum(losses), 1 / Math.max(1, counted));
}

/**
 * The cross-entropy of each row, [rows]; NaN if a logit is NaN.
 *
 * @param leavesOut whether labels may be negative; the loss of their rows is 0.
 */
export function rowLosses(
  ops: Operations,
  logits: Tensor,
  labels: Tensor,
  softLabels: Tensor | undefined,
  leavesOut: boolean,
): Tensor {
  const classes = logits.shape.at(-1)!;
  const rows = ops.reshape(logits, [-1, classes]);
  const given = ops.reshape(labels, [-1]);
  if (!leavesOut) return crossEntropies(ops, rows, given, softLabels);
  const counts = ops.greater(given, -1);
  return ops.where(counts, crossEntropies(ops, rows, ops.where(counts, given, 0), softLabels), 0);
}

function crossEntropies(ops: Operations, rows: Tensor, labels: Tensor, softLabels: Tensor | undefined): Tensor {
  const hard = ops.crossEntropy(rows, labels);
  if (softLabels === undefined) return hard;
  const classes = rows.shape[1]!;
  // −Σ_c q_c log p_c = log Σ exp z − Σ_c q_c z_c, and the fused kernel gives log Σ exp z − z_label: the rest is linear
  // in z.
  const range = ops.fromData(
    Int32Array.from({ length: classes }, (_, c) => c),
    [1, classes],
  );
  const oneHot = ops.cast(ops.equal(ops.reshape(labels, [-1, 1]), range), 'f32');
  const difference = ops.subtract(oneHot, ops.reshape(softLabels, [-1, classes]));
  return ops.add(hard, ops.sum(ops.multiply(difference, rows), { axes: 1 }));
}
