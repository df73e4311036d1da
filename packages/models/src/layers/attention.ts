import type { Operations, Tensor } from '@lmd/core';
import { quantizedMatmul } from '../quantized-matmul.js';
import type { LayerContext } from './context.js';
import { linear } from './linear.js';

/**
 * Multi-head self-attention (Vaswani et al. 2017): [batch, length, width] → the same, with `<name>.qkv` giving queries, keys
 * and values of all heads side by side, and `<name>.projection` mixing the heads.
 */
export function attention(ops: Operations, x: Tensor, name: string, heads: number, context: LayerContext): Tensor {
  const [batch, length, width] = x.shape as readonly [number, number, number];
  const headWidth = width / heads;
  return ops.scope(() => {
    const mixed = ops.scope(() => {
      const [query, key, value] = ops.scope(() => {
        const qkv = linear(ops, x, `${name}.qkv`, context);
        const split = ops.transpose(ops.reshape(qkv, [batch, length, 3 * heads, headWidth]), [0, 2, 1, 3]);
        return [0, 1, 2].map((part) =>
          ops.slice(split, [0, part * heads, 0, 0], [batch, heads, length, headWidth]),
        ) as [Tensor, Tensor, Tensor];
      });
      const heard = scaledDotProduct(ops, query, key, value, name, context);
      return ops.reshape(ops.transpose(heard, [0, 2, 1, 3]), [batch, length, width]);
    });
    return linear(ops, mixed, `${name}.projection`, context);
  });
}

/**
 * softmax(q·kᵀ/√width)·v for [batch, heads, length, width]. Both products round both operands as activations: the first along
 * the head width, the second along the keys. Queries are scaled before they are rounded; softmax is in f32. Where nothing is
 * rounded it is the fused kernel.
 */
function scaledDotProduct(
  ops: Operations,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  name: string,
  context: LayerContext,
): Tensor {
  const scale = 1 / Math.sqrt(query.shape.at(-1)!);
  const { forward, backward } = context.precision;
  if (forward.activations === 'f32' && backward.activations === 'f32' && backward.gradients === 'f32') {
    return ops.attention(query, key, value, { scale, causal: false });
  }
  const shared = { precision: context.precision, key: context.key, second: 'activations' } as const;
  return ops.scope(() => {
    const probabilities = ops.scope(() => {
      const scores = quantizedMatmul(ops, ops.multiply(query, scale), key, {
        ...shared,
        product: `${name}.scores`,
        transposeB: true,
      });
      return ops.softmax(scores);
    });
    return quantizedMatmul(ops, probabilities, value, { ...shared, product: `${name}.values` });
  });
}
