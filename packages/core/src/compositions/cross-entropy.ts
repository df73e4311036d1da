import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { softmax } from './softmax.js';

const lastAxis = { axes: -1, keepDims: true } as const;

/**
 * log Σ exp(logits) − logit of the label, with the maximum subtracted from all logits. A label out of range gives NaN.
 */
export function crossEntropy(ops: EagerOperations, logits: Tensor, labels: Tensor): Tensor {
  return ops.scope(() => {
    const shifted = ops.subtract(logits, ops.max(logits, lastAxis));
    const logSum = ops.log(ops.sum(ops.exp(shifted), { axes: -1 }));
    const { matches, valid } = matchLabels(ops, logits, labels);
    const chosen = ops.sum(ops.where(matches, shifted, 0), { axes: -1 });
    return ops.where(valid, ops.subtract(logSum, chosen), Number.NaN);
  });
}

/** dy · (softmax(logits) − one-hot(label)). */
export function crossEntropyGradient(ops: EagerOperations, logits: Tensor, labels: Tensor, dy: Tensor): Tensor {
  return ops.scope(() => {
    const { matches, valid } = matchLabels(ops, logits, labels);
    const probabilities = softmax(ops, logits);
    const difference = ops.where(matches, ops.subtract(probabilities, 1), probabilities);
    const column = [logits.shape[0]!, 1];
    const scaled = ops.multiply(difference, ops.reshape(dy, column));
    return ops.where(ops.reshape(valid, column), scaled, Number.NaN);
  });
}

/** `matches` [rows, classes]: the label's own class. `valid` [rows]: the label is a class at all. */
function matchLabels(ops: EagerOperations, logits: Tensor, labels: Tensor): { matches: Tensor; valid: Tensor } {
  const [rows, classes] = logits.shape as readonly [number, number];
  return ops.scope(() => {
    const indices = ops.fromData(
      Int32Array.from({ length: classes }, (_, i) => i),
      [1, classes],
    );
    const nonNegative = ops.greater(labels, -1);
    return {
      matches: ops.equal(indices, ops.reshape(labels, [rows, 1])),
      valid: ops.where(nonNegative, ops.less(labels, classes), nonNegative),
    };
  });
}
