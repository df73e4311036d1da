import type { Gpt2 } from '@lmd/models';
import { type GraphBuilder, graphBuilder } from './graph-builder.js';
import { block, type CachedAttention, layerNorm } from './layers.js';
import type { GraphProto } from './schema/onnx.generated.js';

/** Where the tokens of a pass stand, and to which keys they attend. */
interface Positions {
  /** Embeddings of the positions, broadcast to [batch, sequence, width]. */
  readonly embedded: string;
  /** Broadcast to [batch, heads, sequence, total]. */
  readonly mask: string;
}

/**
 * GPT-2 → `logits` [batch, sequence, vocabulary].
 *
 * Without a cache the input is `input_ids` [batch, sequence]. With one, as transformers.js and optimum expect, it is
 * also `attention_mask` [batch, total], `position_ids` [batch, sequence] and `past_key_values.N.key` and `.value`
 * [batch, heads, past, head width], with the outputs `present.N.key` and `.value` [batch, heads, total, head width].
 * The first pass has a past of length 0.
 */
export function gpt2Graph({ name, config }: Gpt2, cached: boolean): GraphProto {
  const { vocabularySize, width, depth, heads, layerNormEpsilon } = config;
  const g = graphBuilder();
  const tokens = g.input('input_ids', 'i64', ['batch', 'sequence']);
  const given = cached
    ? {
        mask: g.input('attention_mask', 'i64', ['batch', 'total']),
        ids: g.input('position_ids', 'i64', ['batch', 'sequence']),
      }
    : undefined;
  const caches = cached ? Array.from({ length: depth }, (_, i) => cacheOf(g, i, heads, width / heads)) : [];
  const sequence = g.within('positions', () => sizeOf(g, tokens, 1));
  const positions = g.within('positions', () =>
    given === undefined ? ownPositions(g, sequence) : givenPositions(g, sequence, given, caches[0]!.past.key),
  );
  let x = g.within('embedding', () =>
    g.node('Add', [g.node('Gather', [g.weight('tokenEmbedding.weight'), tokens], { axis: 0 }), positions.embedded]),
  );
  for (let i = 0; i < depth; i++) {
    const cache = caches[i];
    x = block(g, x, `blocks.${i}`, config, { mask: positions.mask, ...(cache === undefined ? {} : { cache }) });
  }
  g.within('head', () => {
    const rows = g.node('Reshape', [layerNorm(g, x, 'norm', layerNormEpsilon), g.integers([-1, width])]);
    // The token embedding is the transposed output matrix; Gemm does not copy it.
    const logits = g.node('Gemm', [rows, g.weight('tokenEmbedding.weight')], { transB: 1 });
    const shape = g.node('Concat', [g.node('Shape', [tokens]), g.integers([vocabularySize])], { axis: 0 });
    g.node('Reshape', [logits, shape], {}, 'logits');
  });
  g.output('logits', ['batch', 'sequence', vocabularySize]);
  for (const { present } of caches) {
    for (const which of ['key', 'value'] as const) g.output(present[which], ['batch', heads, 'total', width / heads]);
  }
  return g.finish(name);
}

function cacheOf(g: GraphBuilder, index: number, heads: number, headWidth: number): CachedAttention {
  const past = (which: string) =>
    g.input(`past_key_values.${index}.${which}`, 'f32', ['batch', heads, 'past', headWidth]);
  return {
    past: { key: past('key'), value: past('value') },
    present: { key: `present.${index}.key`, value: `present.${index}.value` },
  };
}

/** A size of a value as a scalar. */
const sizeOf = (g: GraphBuilder, value: string, axis: number) =>
  g.node('Gather', [g.node('Shape', [value]), g.integers(axis)], { axis: 0 });

const range = (g: GraphBuilder, from: string, to: string) => g.node('Range', [from, to, g.integers(1)]);

/** [queries, keys]: a position attends to itself and to earlier ones. */
function causal(g: GraphBuilder, queries: string, keys: string): string {
  const columns = g.node('Unsqueeze', [keys, g.integers([0])]);
  return g.node('LessOrEqual', [columns, g.node('Unsqueeze', [queries, g.integers([1])])]);
}

function ownPositions(g: GraphBuilder, sequence: string): Positions {
  const positions = range(g, g.integers(0), sequence);
  return {
    embedded: g.node('Gather', [g.weight('positionEmbedding'), positions], { axis: 0 }),
    mask: causal(g, positions, positions),
  };
}

function givenPositions(
  g: GraphBuilder,
  sequence: string,
  { mask, ids }: { readonly mask: string; readonly ids: string },
  pastKey: string,
): Positions {
  const past = sizeOf(g, pastKey, 2);
  const total = g.node('Add', [past, sequence]);
  const ordered = causal(g, range(g, past, total), range(g, g.integers(0), total));
  // [batch, 1, 1, total]: padding is not attended to.
  const present = g.node('Unsqueeze', [g.node('Greater', [mask, g.integers(0)]), g.integers([1, 2])]);
  return {
    embedded: g.node('Gather', [g.weight('positionEmbedding'), ids], { axis: 0 }),
    mask: g.node('And', [present, ordered]),
  };
}
