import {
  type BlockFormat,
  type ForwardContext,
  LmdError,
  type Model,
  type NamedTensors,
  type Operations,
  type Tensor,
} from '@lmd/core';
import { blockParameters, normParameters, type ParameterSpecifications } from './block-parameters.js';
import { type Gpt2Config, type ResolvedGpt2Config, resolveGpt2Config } from './gpt2-config.js';
import { headWeight, logitsOf } from './gpt2-head.js';
import { initializeParameters, normal } from './initialization.js';
import { checkCacheFormat } from './layers/cache-format.js';
import { cachedBlock, cachedLength, checkCache, type KeyValueCache } from './layers/cached-block.js';
import type { LayerContext } from './layers/context.js';
import { dropout } from './layers/dropout.js';
import { checkWeights, packedWeight, parameter } from './layers/parameters.js';
import { transformerBlock } from './layers/transformer-block.js';
import { modelMarker } from './made-by.js';

export interface Gpt2 extends Model {
  readonly architecture: 'gpt2';
  /** The configuration, with all defaults filled in. */
  readonly config: ResolvedGpt2Config;
  /**
   * The forward pass for a prompt: tokens [batch, length] → the logits of the last position [batch, vocabulary] and a
   * key-value cache of all positions. For inference: no dropout, no gradients.
   */
  prefill(ops: Operations, weights: NamedTensors, tokens: Tensor, context: InferenceContext): CachedLogits;
  /**
   * The forward pass for further tokens [batch, length], usually one, after those in `cache`, which the caller owns and
   * which is not changed. Together they must not exceed the context (`SHAPE_MISMATCH`).
   */
  decode(
    ops: Operations,
    weights: NamedTensors,
    tokens: Tensor,
    cache: KeyValueCache,
    context: InferenceContext,
  ): CachedLogits;
}

export interface InferenceContext extends Omit<ForwardContext, 'training'> {
  /**
   * Block format of cached keys and values, with scales that are powers of two: the cache holds codes and scales in
   * place of f32. Rounding is to nearest, in blocks along the head width. One cache has one format. Default f32.
   */
  readonly cacheFormat?: BlockFormat | undefined;
}

export interface CachedLogits {
  /** Logits of the last position: [batch, vocabulary]. */
  readonly logits: Tensor;
  /** Keys and values of all positions so far. Free it with `ops.dispose(cache)`. */
  readonly cache: KeyValueCache;
}

/**
 * GPT-2 (Radford et al. 2019): tokens [batch, length], i32 → logits [batch, length, vocabulary], those at position i
 * for the token at i + 1. Pre-norm blocks; the token embedding is also the transposed output matrix, so it is sampled
 * once per forward pass and its gradient is the sum over both uses. All other matrices are [inputs, outputs]; names and
 * shapes are in `parameters`.
 */
export function gpt2(config: Gpt2Config): Gpt2 {
  const options = resolveGpt2Config(config);
  const parameters = gpt2Parameters(options);
  return {
    ...modelMarker,
    name: `gpt2-${options.width}x${options.depth}`,
    architecture: 'gpt2',
    config: options,
    vocabularySize: options.vocabularySize,
    parameters,
    initialize: (ops, seed) => initializeParameters(ops, parameters, seed),
    forward(ops, weights, tokens, context) {
      checkWeights(weights, parameters);
      checkTokens(tokens, options.contextLength);
      const layers: LayerContext = { ...context, weights };
      return ops.scope(() => {
        let x = embed(ops, tokens, 0, options, layers);
        for (let block = 0; block < options.depth; block += 1) {
          const y = transformerBlock(ops, x, `blocks.${block}`, { ...options, causal: true }, layers);
          ops.dispose(x);
          x = y;
        }
        return logitsOf(ops, x, options, layers);
      });
    },
    prefill: (ops, weights, tokens, context) => extend(ops, weights, tokens, {}, context),
    decode: extend,
  };

  function extend(
    ops: Operations,
    weights: NamedTensors,
    tokens: Tensor,
    past: KeyValueCache,
    { cacheFormat, ...context }: InferenceContext,
  ): CachedLogits {
    if (cacheFormat !== undefined) checkCacheFormat(cacheFormat);
    checkCache(past, cacheFormat);
    checkWeights(weights, parameters, context.packedWeights);
    const start = cachedLength(past);
    checkTokens(tokens, options.contextLength, start);
    const layers: LayerContext = { ...context, training: false, weights };
    const [batch, length] = tokens.shape as readonly [number, number];
    return ops.scope(() => {
      let x = embed(ops, tokens, start, options, layers);
      const cache: { [name: string]: Tensor } = {};
      for (let block = 0; block < options.depth; block += 1) {
        const step = cachedBlock(ops, x, `blocks.${block}`, past, options, layers, cacheFormat);
        ops.dispose(x);
        x = step.output;
        Object.assign(cache, step.cache);
      }
      const last = ops.reshape(ops.slice(x, [0, length - 1, 0], [batch, 1, options.width]), [batch, options.width]);
      return { logits: logitsOf(ops, last, options, layers), cache };
    });
  }
}

/** Token embeddings plus those of the positions from `start` on: [batch, length] → [batch, length, width]. */
function embed(ops: Operations, tokens: Tensor, start: number, options: ResolvedGpt2Config, context: LayerContext) {
  const [length, { width }] = [tokens.shape[1]!, options];
  return ops.scope(() => {
    const packed = packedWeight(context, headWeight);
    const embedded =
      packed === undefined
        ? ops.gather(parameter(context.weights, headWeight), tokens)
        : ops.packedRows(packed, tokens);
    const positions = ops.slice(parameter(context.weights, 'positionEmbedding'), [start, 0], [length, width]);
    return dropout(ops, ops.add(embedded, positions), options.dropout, 'embedding', context);
  });
}

/** All parameters in the order of the forward pass, initialized as in the published models. */
function gpt2Parameters(options: ResolvedGpt2Config): ParameterSpecifications {
  const { vocabularySize, contextLength, width, depth } = options;
  // 2 · depth branches are added in the residual stream, so each is scaled by 1/√(2 · depth).
  const [matrix, residual] = [normal(0.02), normal(0.02 / Math.sqrt(2 * depth))];
  const blocks = Array.from({ length: depth }, (_, block) =>
    blockParameters(
      `blocks.${block}`,
      options,
      () => matrix,
      () => residual,
    ),
  );
  return Object.assign(
    {
      [headWeight]: { shape: [vocabularySize, width], initialization: matrix },
      positionEmbedding: { shape: [contextLength, width], initialization: matrix },
    },
    ...blocks,
    normParameters('norm', width),
  );
}

function checkTokens(tokens: Tensor, contextLength: number, start = 0): void {
  const { shape, dtype } = tokens;
  if (dtype !== 'i32') {
    throw new LmdError('DTYPE_MISMATCH', `Tokens are ${dtype}, but this model needs i32.`, {
      subject: 'tokens',
      value: dtype,
      remedy: 'Create the tensor from an Int32Array.',
    });
  }
  if (shape.length === 2 && shape[1]! >= 1 && start + shape[1]! <= contextLength) return;
  throw new LmdError(
    'SHAPE_MISMATCH',
    `Tokens have shape [${shape}], but this model needs [batch, length] with a length of 1 to ${contextLength - start}${start > 0 ? ` after the ${start} in the cache` : ''}.`,
    {
      subject: 'tokens',
      value: shape,
      remedy: 'Truncate the text, or configure the model with a larger contextLength.',
    },
  );
}
