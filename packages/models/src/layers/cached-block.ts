import type { NamedTensors, Operations, Tensor } from '@lmd/core';
import { mergeHeads, scaledDotProduct, splitHeads } from './attention.js';
import type { LayerContext } from './context.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { mlp } from './mlp.js';
import type { TransformerBlockOptions } from './transformer-block.js';

/**
 * A key-value cache: `<block>.key` and `<block>.value` of earlier positions, each [batch, heads, length, head width].
 * Empty before the first token.
 */
export type KeyValueCache = NamedTensors;

/** Number of positions in a cache. */
export function cachedLength(cache: KeyValueCache): number {
  return Object.values(cache)[0]?.shape[2] ?? 0;
}

/**
 * `transformerBlock` in inference, causal, for further positions x [batch, length, width] after those in `past`: their
 * outputs, and the keys and values of all positions.
 */
export function cachedBlock(
  ops: Operations,
  x: Tensor,
  name: string,
  past: KeyValueCache,
  options: TransformerBlockOptions,
  context: LayerContext,
): { readonly output: Tensor; readonly cache: KeyValueCache } {
  const norm = (input: Tensor, which: string) =>
    layerNorm(ops, input, `${name}.${which}`, options.layerNormEpsilon, context);
  const append = (added: Tensor, which: string): Tensor => {
    const earlier = past[`${name}.${which}`];
    return earlier === undefined ? added : ops.concatenate([earlier, added], 2);
  };
  return ops.scope(() => {
    const added = splitHeads(ops, norm(x, 'norm1'), `${name}.attention`, options.heads, context);
    const [key, value] = [append(added.key, 'key'), append(added.value, 'value')];
    const heads = { query: added.query, key, value };
    const attended = mergeHeads(ops, scaledDotProduct(ops, heads, `${name}.attention`, { causal: true }, context));
    const residual = ops.add(x, linear(ops, attended, `${name}.attention.projection`, context));
    const output = ops.add(residual, mlp(ops, norm(residual, 'norm2'), `${name}.mlp`, options.gelu, context));
    return { output, cache: { [`${name}.key`]: key, [`${name}.value`]: value } };
  });
}
