import { type BlockFormat, LmdError, type NamedTensors, type Operations, type Tensor } from '@lmd/core';
import type { Gpt2Config } from '../gpt2-config.js';
import { type Heads, mergeHeads, scaledDotProduct, splitHeads } from './attention.js';
import type { LayerContext } from './context.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { mlp } from './mlp.js';
import { type RowCodec, wordsOfRow } from './row-codec.js';
import type { TransformerBlockOptions } from './transformer-block.js';

/**
 * The keys and values of earlier positions, `<block>.key` and `<block>.value`, each [batch, heads, length, head width].
 * In a block format `<block>.words` and `<block>.scales` take their place, [batch, 2 · heads, length, …]: codes of the
 * keys of all heads, then of the values. Empty before the first token.
 */
export type KeyValueCache = NamedTensors;

/** Number of positions in a cache. */
export function cachedLength(cache: KeyValueCache): number {
  return Object.values(cache)[0]?.shape[2] ?? 0;
}

/**
 * `transformerBlock` in inference, causal, for further positions x [batch, length, width] after those in `past`: their
 * outputs, and the keys and values of all positions. With a codec the cache holds codes in blocks along the head width,
 * and attention reads the values that these stand for, those of the new positions too. Codes of a position are made
 * once and depend on that position alone.
 */
export function cachedBlock(
  ops: Operations,
  x: Tensor,
  name: string,
  past: KeyValueCache,
  options: TransformerBlockOptions,
  context: LayerContext,
  codec?: RowCodec,
): { readonly output: Tensor; readonly cache: KeyValueCache } {
  const norm = (input: Tensor, which: string) =>
    layerNorm(ops, input, `${name}.${which}`, options.layerNormEpsilon, context);
  return ops.scope(() => {
    const added = splitHeads(ops, norm(x, 'norm1'), `${name}.attention`, options.heads, context);
    const { cache, ...all } = extended(ops, past, name, added, codec);
    const heads = { query: added.query, ...all };
    const attended = mergeHeads(ops, scaledDotProduct(ops, heads, `${name}.attention`, { causal: true }, context));
    const residual = ops.add(x, linear(ops, attended, `${name}.attention.projection`, context));
    const output = ops.add(residual, mlp(ops, norm(residual, 'norm2'), `${name}.mlp`, options.gelu, context));
    return { output, cache };
  });
}

/** Keys and values of all positions, as attention reads them, and the cache with those of the further positions. */
function extended(ops: Operations, past: KeyValueCache, name: string, added: Heads, codec: RowCodec | undefined) {
  const append = (part: string, tensor: Tensor): Tensor => {
    const earlier = past[`${name}.${part}`];
    return earlier === undefined ? tensor : ops.concatenate([earlier, tensor], 2);
  };
  if (codec === undefined) {
    const [key, value] = [append('key', added.key), append('value', added.value)];
    return { key, value, cache: { [`${name}.key`]: key, [`${name}.value`]: value } };
  }
  const codes = codec.encode(ops.concatenate([added.key, added.value], 1));
  const [words, scales] = [append('words', codes.words), append('scales', codes.scales)];
  const [batch, heads, , width] = added.key.shape as readonly [number, number, number, number];
  const both = codec.decode({ words, scales }, width);
  const part = (which: number): Tensor =>
    ops.slice(both, [0, which * heads, 0, 0], [batch, heads, both.shape[2]!, width]);
  return { key: part(0), value: part(1), cache: { [`${name}.words`]: words, [`${name}.scales`]: scales } };
}

/**
 * Bytes that a cache holds for each position, keys and values of all blocks: in f32, or as codes and scales of a
 * format.
 */
export function cacheBytesPerToken(
  { width, heads, depth }: Pick<Required<Gpt2Config>, 'width' | 'heads' | 'depth'>,
  format?: BlockFormat,
): number {
  const headWidth = width / heads;
  const words = format === undefined ? headWidth : wordsOfRow(headWidth, format);
  return 4 * 2 * depth * heads * words;
}

/** Refuses a cache that was not made with this format. */
export function checkCache(cache: KeyValueCache, format: BlockFormat | undefined): void {
  const first = Object.keys(cache)[0];
  const isEncoded = first?.endsWith('.words') || first?.endsWith('.scales');
  if (first === undefined || isEncoded === (format !== undefined)) return;
  throw new LmdError('INVALID_ARGUMENT', `cacheFormat is ${format?.name ?? 'absent'}, and the cache has ${first}.`, {
    subject: 'cacheFormat',
    value: format?.name,
    remedy: 'Use each call of decode the cacheFormat that prefill had.',
  });
}
