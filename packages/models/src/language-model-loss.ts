import { LmdError, type Operations, type Tensor } from '@lmd/core';

/**
 * Mean next-token cross-entropy, in nats (its exponential is the perplexity): logits [batch, length, vocabulary] and
 * targets i32 [batch, length] → a scalar. Negative targets (padding) are excluded from the mean; if all are negative,
 * the loss is 0.
 */
export function languageModelLoss(ops: Operations, logits: Tensor, targets: Tensor): Tensor {
  const [batch, length, vocabulary] = logits.shape as readonly [number, number, number];
  if (logits.shape.length !== 3 || targets.shape.join() !== [batch, length].join()) {
    throw new LmdError(
      'SHAPE_MISMATCH',
      `languageModelLoss: logits [${logits.shape}] and targets [${targets.shape}] do not match.`,
      {
        subject: 'targets',
        value: [logits.shape, targets.shape],
        remedy: 'Use [batch, length, vocabulary] and [batch, length].',
      },
    );
  }
  return ops.scope(() => {
    const labels = ops.reshape(targets, [batch * length]);
    const ignored = ops.less(labels, 0);
    const rows = ops.reshape(logits, [batch * length, vocabulary]);
    const losses = ops.crossEntropy(rows, ops.where(ignored, ops.zeros([], 'i32'), labels));
    const counted = ops.sum(ops.where(ignored, ops.zeros([]), 1));
    return ops.divide(ops.sum(ops.where(ignored, 0, losses)), ops.maximum(counted, 1));
  });
}
