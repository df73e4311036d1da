import type { FloatTensor, FusedKernels, Primitives } from '@lmd/core';
import { maskedSoftmax } from '../host-kernels/masked-softmax.js';
import { softmaxGradient } from '../host-kernels/softmax.js';
import type { Host } from './host.js';

/**
 * Attention on the backend's own matrix products, with one loop of ours between them. Probabilities are not stored: the
 * gradient computes them again.
 */
export function hostAttention(
  { store, allocate, floats }: Host,
  matmul: Primitives['matmul'],
): Pick<FusedKernels, 'attention' | 'attentionGradient'> {
  /** [batch, heads, …] as [batch·heads, …]. */
  function matrices(x: FloatTensor): FloatTensor {
    const [batch, heads, rows, columns] = x.shape as [number, number, number, number];
    return store.share(x, [batch * heads, rows, columns]);
  }

  /** Runs `body` on the operands as batches of matrices, and frees what it does not return of what it made. */
  function within<Result>(
    xs: readonly FloatTensor[],
    body: (views: FloatTensor[], made: (x: FloatTensor) => FloatTensor) => Result,
  ): Result {
    const temporary: FloatTensor[] = xs.map(matrices);
    const result = body([...temporary], (x) => {
      temporary.push(x);
      return x;
    });
    for (const x of temporary) store.free(x);
    return result;
  }

  /** `x` in the shape of `like` but for its last axis. The handle replaces `x`. */
  function unfold(x: FloatTensor, like: FloatTensor): FloatTensor {
    const result = store.share(x, [...like.shape.slice(0, -1), x.shape[2]!]);
    store.free(x);
    return result;
  }

  function probabilities(q: FloatTensor, k: FloatTensor, scale: number, causal: boolean): FloatTensor {
    const scores = matmul(q, k, false, true);
    const out = allocate(scores.shape, 'f32');
    maskedSoftmax(floats(scores), scores.shape[1]!, scores.shape[2]!, scale, causal, floats(out));
    store.free(scores);
    return out;
  }

  return {
    attention(query, key, value, { scale, causal }) {
      return within([query, key, value], ([q, k, v], made) => {
        const weights = made(probabilities(q!, k!, scale, causal));
        return unfold(matmul(weights, v!, false, false), query);
      });
    },
    attentionGradient(query, key, value, dy, { scale, causal }) {
      return within([query, key, value, dy], ([q, k, v, upstream], made) => {
        const weights = made(probabilities(q!, k!, scale, causal));
        const weightGradient = made(matmul(upstream!, v!, false, true));
        const scoreGradient = made(allocate(weights.shape, 'f32'));
        const scores = floats(scoreGradient);
        softmaxGradient(floats(weights), floats(weightGradient), weights.shape[2]!, scores);
        for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! * scale;
        return {
          query: unfold(matmul(scoreGradient, k!, false, false), query),
          key: unfold(matmul(scoreGradient, q!, true, false), key),
          value: unfold(matmul(weights, upstream!, true, false), value),
        };
      });
    },
  };
}
