import {
  type BlockFormat,
  bytesPerElement,
  type CodedRows,
  LmdError,
  type NamedTensors,
  type Operations,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import type { Gpt2Config } from '../gpt2-config.js';
import { type Heads, mergeHeads, roundsProducts, scaledDotProduct, splitHeads } from './attention.js';
import type { LayerContext } from './context.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { mlp } from './mlp.js';
import type { TransformerBlockOptions } from './transformer-block.js';

/**
 * The keys and values of earlier positions, `<block>.key` and `<block>.value`, each [batch, heads, length, head width].
 * In a block format `<block>.codes.<name>` take their place, [batch, 2 · heads, length, …], for each tensor of
 * `CodedRows`: the codes of the keys of all heads, then of the values. Empty before the first token.
 */
export type KeyValueCache = NamedTensors;

/** Number of positions in a cache. */
export function cachedLength(cache: KeyValueCache): number {
  return Object.values(cache)[0]?.shape[2] ?? 0;
}

/**
 * `transformerBlock` in inference, causal, for further positions x [batch, length, width] after those in `past`: their
 * outputs, and the keys and values of all positions. With a format the cache holds codes in blocks along the head
 * width, and attention reads the values that these stand for, those of the new positions too. Codes of a position are
 * made once and depend on that position alone.
 */
export function cachedBlock(
  ops: Operations,
  x: Tensor,
  name: string,
  past: KeyValueCache,
  options: TransformerBlockOptions,
  context: LayerContext,
  cacheFormat?: BlockFormat,
): { readonly output: Tensor; readonly cache: KeyValueCache } {
  const norm = (input: Tensor, which: string) =>
    layerNorm(ops, input, `${name}.${which}`, options.layerNormEpsilon, context);
  return ops.scope(() => {
    const added = splitHeads(ops, norm(x, 'norm1'), `${name}.attention`, options.heads, context);
    const attend = (all: Omit<Heads, 'query'>) =>
      scaledDotProduct(ops, { query: added.query, ...all }, `${name}.attention`, { causal: true }, context);
    const { attended, cache } =
      cacheFormat === undefined
        ? attendToValues(ops, past, name, added, attend)
        : attendToCodes(ops, past, name, added, { format: cacheFormat, byValues: roundsProducts(context) }, attend);
    const residual = ops.add(x, linear(ops, mergeHeads(ops, attended), `${name}.attention.projection`, context));
    const output = ops.add(residual, mlp(ops, norm(residual, 'norm2'), `${name}.mlp`, options.gelu, context));
    return { output, cache };
  });
}

interface Attended {
  /** [batch, heads, length, head width], for the further positions. */
  readonly attended: Tensor;
  /** Keys and values of all positions. */
  readonly cache: KeyValueCache;
}

type Attend = (all: Omit<Heads, 'query'>) => Tensor;

/** `later` after the earlier positions of a cache's tensor, which may have none yet. */
function append(ops: Operations, earlier: Tensor | undefined, later: Tensor): Tensor {
  return earlier === undefined ? later : ops.concatenate([earlier, later], 2);
}

function attendToValues(ops: Operations, past: KeyValueCache, name: string, added: Heads, attend: Attend): Attended {
  const key = append(ops, past[`${name}.key`], added.key);
  const value = append(ops, past[`${name}.value`], added.value);
  return { attended: attend({ key, value }), cache: { [`${name}.key`]: key, [`${name}.value`]: value } };
}

/**
 * A single query attends to the codes themselves. Several, which are masked, and products that round their operands
 * need the values, of this block of the model alone.
 */
function attendToCodes(
  ops: Operations,
  past: KeyValueCache,
  name: string,
  { query, key, value }: Heads,
  { format, byValues }: { readonly format: BlockFormat; readonly byValues: boolean },
  attend: Attend,
): Attended {
  const codes = ops.encodeRows(ops.concatenate([key, value], 1), format);
  const tensors = Object.fromEntries(
    Object.entries(codes.tensors).map(([part, x]) => [part, append(ops, past[`${name}.codes.${part}`], x)]),
  );
  const [batch, heads, queries, width] = query.shape as readonly [number, number, number, number];
  const keys = Object.values(tensors)[0]!.shape[2]!;
  const rows: CodedRows = { format, shape: [batch, 2 * heads, keys, width], tensors };
  const cache = Object.fromEntries(Object.entries(tensors).map(([part, x]) => [`${name}.codes.${part}`, x]));
  if (queries === 1 && !byValues) return { attended: ops.codedAttention(query, rows), cache };
  const both = ops.decodeRows(rows);
  const half = (which: number): Tensor => ops.slice(both, [0, which * heads, 0, 0], [batch, heads, keys, width]);
  return { attended: attend({ key: half(0), value: half(1) }), cache };
}

/** Bytes that a cache holds for each position, keys and values of all blocks: in f32, or as codes of a format. */
export function cacheBytesPerToken(
  ops: Operations,
  { width, heads, depth }: Pick<Required<Gpt2Config>, 'width' | 'heads' | 'depth'>,
  format?: BlockFormat,
): number {
  const headWidth = width / heads;
  const rows = 2 * depth * heads;
  if (format === undefined) return rows * headWidth * bytesPerElement.f32;
  return ops.scope(() => {
    const { tensors } = ops.encodeRows(ops.zeros([headWidth]), format);
    return rows * Object.values(tensors).reduce((sum, x) => sum + sizeOf(x.shape) * bytesPerElement[x.dtype], 0);
  });
}

/** Refuses a cache that was not made with this format. */
export function checkCache(cache: KeyValueCache, format: BlockFormat | undefined): void {
  const first = Object.keys(cache)[0];
  const isEncoded = first?.includes('.codes.');
  if (first === undefined || isEncoded === (format !== undefined)) return;
  throw new LmdError('INVALID_ARGUMENT', `cacheFormat is ${format?.name ?? 'absent'}, and the cache has ${first}.`, {
    subject: 'cacheFormat',
    value: format?.name,
    remedy: 'Use each call of decode the cacheFormat that prefill had.',
  });
}
