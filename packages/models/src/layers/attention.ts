import type { Operations, Tensor } from '@lmd/core';
import { quantizedMatmul } from '../quantized-matmul.js';
import type { LayerContext } from './context.js';
import { dropout } from './dropout.js';
import { linear } from './linear.js';

export interface AttentionLayerOptions {
  readonly heads: number;
  /** Causal attention: each position attends to itself and to earlier positions. Default false. */
  readonly causal?: boolean;
  /**
   * Dropout rate of attention probabilities in training. Above 0, probabilities are materialized. Default 0.
   */
  readonly attentionDropout?: number;
}

/** Queries, keys and values [batch, heads, length, head width]. */
export interface Heads {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/**
 * Multi-head self-attention (Vaswani et al. 2017): [batch, length, width] → the same, with `<name>.qkv` for the
 * concatenated queries, keys and values of all heads, and the output projection `<name>.projection`.
 */
export function attention(
  ops: Operations,
  x: Tensor,
  name: string,
  options: AttentionLayerOptions,
  context: LayerContext,
): Tensor {
  return ops.scope(() => {
    const mixed = ops.scope(() => {
      const attended = scaledDotProduct(ops, splitHeads(ops, x, name, options.heads, context), name, options, context);
      return mergeHeads(ops, attended);
    });
    return linear(ops, mixed, `${name}.projection`, context);
  });
}

/** [batch, length, width] → queries, keys and values, with `<name>.qkv`. */
export function splitHeads(ops: Operations, x: Tensor, name: string, heads: number, context: LayerContext): Heads {
  const [batch, length, width] = x.shape as readonly [number, number, number];
  return ops.scope(() => {
    const qkv = linear(ops, x, `${name}.qkv`, context);
    const split = ops.transpose(ops.reshape(qkv, [batch, length, 3 * heads, width / heads]), [0, 2, 1, 3]);
    const part = (which: number): Tensor =>
      ops.slice(split, [0, which * heads, 0, 0], [batch, heads, length, width / heads]);
    return { query: part(0), key: part(1), value: part(2) };
  });
}

/** [batch, heads, length, head width] → [batch, length, width]. */
export function mergeHeads(ops: Operations, x: Tensor): Tensor {
  const [batch, heads, length, headWidth] = x.shape as readonly [number, number, number, number];
  return ops.scope(() => ops.reshape(ops.transpose(x, [0, 2, 1, 3]), [batch, length, heads * headWidth]));
}

/**
 * softmax(q·kᵀ/√width)·v for [batch, heads, length, width]. Both products quantize both operands as activations: the
 * first along the head width, the second along the keys. Queries are scaled before quantization; softmax is in f32.
 * Without quantization and dropout it is a fused kernel, and no scores are stored. There may be more keys than queries;
 * causal queries are then the last positions.
 */
export function scaledDotProduct(
  ops: Operations,
  { query, key, value }: Heads,
  name: string,
  { causal = false, attentionDropout = 0 }: Omit<AttentionLayerOptions, 'heads'>,
  context: LayerContext,
): Tensor {
  const [queries, width] = query.shape.slice(-2) as [number, number];
  const earlier = key.shape[2]! - queries;
  const scale = 1 / Math.sqrt(width);
  // A single query is the last position and attends to all keys.
  const masks = causal && queries > 1;
  const drops = context.training && attentionDropout > 0;
  if (!roundsProducts(context) && !drops && !(masks && earlier > 0))
    return ops.attention(query, key, value, { scale, causal: masks });

  const shared = { precision: context.precision, key: context.key, second: 'activations' } as const;
  return ops.scope(() => {
    const probabilities = ops.scope(() => {
      const scores = quantizedMatmul(ops, ops.multiply(query, scale), key, {
        ...shared,
        product: `${name}.scores`,
        transposeB: true,
      });
      const p = ops.softmax(masks ? maskFuture(ops, scores, earlier) : scores);
      return dropout(ops, p, attentionDropout, `${name}.probabilities`, context);
    });
    return quantizedMatmul(ops, probabilities, value, { ...shared, product: `${name}.values` });
  });
}

/** Whether the operands of attention's products are rounded. */
export function roundsProducts({ precision: { forward, backward } }: LayerContext): boolean {
  return [forward.activations, backward.activations, backward.gradients].some((p) => p !== 'f32');
}

/** −∞ for keys after their query. The mask [queries, keys] is shared by all batches and heads. */
function maskFuture(ops: Operations, scores: Tensor, earlier: number): Tensor {
  const [queries, keys] = scores.shape.slice(-2) as [number, number];
  return ops.scope(() => {
    const rows = ops.fromData(
      Int32Array.from({ length: queries }, (_, i) => i + earlier),
      [queries, 1],
    );
    const columns = ops.fromData(
      Int32Array.from({ length: keys }, (_, i) => i),
      [1, keys],
    );
    return ops.where(ops.greater(columns, rows), Number.NEGATIVE_INFINITY, scores);
  });
}
