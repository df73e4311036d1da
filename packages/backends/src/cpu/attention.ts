import type { FloatTensor, FusedKernels, Primitives } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';

/**
 * Attention on the backend's own products, with one pass between them. Probabilities are not stored: the gradient makes
 * them again.
 */
export function cpuAttention(
  { store, allocate, run, address }: MemoryHost,
  matmul: Primitives['matmul'],
): Pick<FusedKernels, 'attention' | 'attentionGradient'> {
  /** [batch, heads, …] as [batch·heads, …]. */
  function matrices(x: FloatTensor): FloatTensor {
    const [batch, heads, rows, columns] = x.shape as [number, number, number, number];
    return store.share(x, [batch * heads, rows, columns]);
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
    const [count, queries, keys] = scores.shape as [number, number, number];
    const split = { total: count * queries, cost: 1.5 * keys };
    run('softmax', split, { x: address(scores), out: address(out), width: keys, height: queries, scale, causal });
    store.free(scores);
    return out;
  }

  const freeAll = (xs: readonly FloatTensor[]) => {
    for (const x of xs) store.free(x);
  };

  return {
    attention(query, key, value, { scale, causal }) {
      const [q, k, v] = [query, key, value].map(matrices) as [FloatTensor, FloatTensor, FloatTensor];
      const weights = probabilities(q, k, scale, causal);
      const result = unfold(matmul(weights, v, false, false), query);
      freeAll([q, k, v, weights]);
      return result;
    },
    attentionGradient(query, key, value, dy, { scale, causal }) {
      const [q, k, v, upstream] = [query, key, value, dy].map(matrices) as [
        FloatTensor,
        FloatTensor,
        FloatTensor,
        FloatTensor,
      ];
      const weights = probabilities(q, k, scale, causal);
      const weightGradient = matmul(upstream, v, false, true);
      const scores = allocate(weights.shape, 'f32');
      const [count, queries, keys] = weights.shape as [number, number, number];
      const split = { total: count * queries, cost: keys };
      run('softmaxGradient', split, {
        y: address(weights),
        dy: address(weightGradient),
        out: address(scores),
        width: keys,
        scale,
      });
      store.free(weightGradient);
      const result = {
        query: unfold(matmul(scores, k, false, false), query),
        key: unfold(matmul(scores, q, true, false), key),
        value: unfold(matmul(weights, upstream, true, false), value),
      };
      freeAll([q, k, v, upstream, weights, scores]);
      return result;
    },
  };
}
