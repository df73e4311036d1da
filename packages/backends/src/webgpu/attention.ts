import type { FloatTensor, FusedKernels, Primitives } from '@lmd/core';
import type { Context } from './context.js';
import { scaledSoftmax, scaledSoftmaxGradient } from './normalization.js';

/**
 * Attention in three dispatches, two products and a masked softmax between them, and its gradient in seven.
 * Probabilities are not stored: the gradient computes them again.
 */
export function attention(
  context: Context,
  matmul: Primitives['matmul'],
): Pick<FusedKernels, 'attention' | 'attentionGradient'> {
  const { store } = context;

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
    const temporary: FloatTensor[] = [];
    try {
      const views = xs.map((x) => {
        const view = matrices(x);
        temporary.push(view);
        return view;
      });
      return body(views, (x) => {
        temporary.push(x);
        return x;
      });
    } finally {
      for (const x of temporary) store.free(x);
    }
  }

  /** `x` in the shape of `like` but for its last axis. The handle replaces `x`. */
  function unfold(x: FloatTensor, like: FloatTensor): FloatTensor {
    const result = store.share(x, [...like.shape.slice(0, -1), x.shape[2]!]);
    store.free(x);
    return result;
  }

  function probabilities(
    q: FloatTensor,
    k: FloatTensor,
    scale: number,
    causal: boolean,
    made: (x: FloatTensor) => FloatTensor,
  ): FloatTensor {
    const scores = made(matmul(q, k, false, true));
    return made(scaledSoftmax(context, scores, scale, causal ? scores.shape[1]! : 0));
  }

  return {
    attention(query, key, value, { scale, causal }) {
      return within([query, key, value], ([q, k, v], made) =>
        unfold(matmul(probabilities(q!, k!, scale, causal, made), v!, false, false), query),
      );
    },
    attentionGradient(query, key, value, dy, { scale, causal }) {
      return within([query, key, value, dy], ([q, k, v, upstream], made) => {
        const weights = probabilities(q!, k!, scale, causal, made);
        const weightGradient = made(matmul(upstream!, v!, false, true));
        const scores = made(scaledSoftmaxGradient(context, weights, weightGradient, scale));
        return {
          query: unfold(matmul(scores, k!, false, false), query),
          key: unfold(matmul(scores, q!, true, false), key),
          value: unfold(matmul(weights, upstream!, true, false), value),
        };
      });
    },
  };
}
