import type { AttentionOptions } from '../fused-kernels.js';
import type { EagerOperations } from '../operations.js';
import type { Tensor } from '../tensor.js';
import { softmax, softmaxGradient } from './softmax.js';

/** softmax(scale · Q Kᵀ) V (Vaswani et al., arXiv:1706.03762, equation 1). */
export function attention(
  ops: EagerOperations,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions,
): Tensor {
  return ops.scope(() => ops.matmul(probabilities(ops, query, key, options), value));
}

/** The probabilities are computed again rather than stored. */
export function attentionGradient(
  ops: EagerOperations,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  dy: Tensor,
  options: AttentionOptions,
): { query: Tensor; key: Tensor; value: Tensor } {
  return ops.scope(() => {
    const weights = probabilities(ops, query, key, options);
    const weightGradient = ops.matmul(dy, value, { transposeB: true });
    const scoreGradient = ops.multiply(softmaxGradient(ops, weights, weightGradient), options.scale);
    return {
      query: ops.matmul(scoreGradient, key),
      key: ops.matmul(scoreGradient, query, { transposeA: true }),
      value: ops.matmul(weights, dy, { transposeA: true }),
    };
  });
}

/** [batch, heads, queries, keys]. */
function probabilities(ops: EagerOperations, query: Tensor, key: Tensor, { scale, causal }: AttentionOptions): Tensor {
  return ops.scope(() => {
    const scores = ops.multiply(ops.matmul(query, key, { transposeB: true }), scale);
    if (!causal) return softmax(ops, scores);
    const queries = ops.fromData(positions(query.shape[2]!), [query.shape[2]!, 1]);
    const keys = ops.fromData(positions(key.shape[2]!), [1, key.shape[2]!]);
    return softmax(ops, ops.where(ops.greater(keys, queries), -Infinity, scores));
  });
}

const positions = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => i);
