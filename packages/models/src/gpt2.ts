import { LmdError, type Model, type Operations, type Tensor } from '@lmd/core';
import { blockParameters, normParameters, type ParameterSpecifications } from './block-parameters.js';
import { type Gpt2Config, resolveGpt2Config } from './gpt2-config.js';
import { initializeParameters, normal } from './initialization.js';
import type { LayerContext } from './layers/context.js';
import { dropout } from './layers/dropout.js';
import { layerNorm } from './layers/layer-norm.js';
import { checkWeights, parameter } from './layers/parameters.js';
import { transformerBlock } from './layers/transformer-block.js';
import { fullPrecision } from './precision.js';
import { quantizedMatmul } from './quantized-matmul.js';

export interface Gpt2 extends Model {
  /** The configuration, with all defaults filled in. */
  readonly config: Required<Gpt2Config>;
}

/**
 * GPT-2 (Radford et al. 2019): tokens [batch, length], i32 → logits [batch, length, vocabulary], those at position i for the
 * token at i + 1. Pre-norm blocks; the token embedding is also the transposed output matrix, so it is drawn once a forward
 * pass and its gradient is the sum of both uses. All other matrices are [inputs, outputs]; names and shapes are in `parameters`.
 */
export function gpt2(config: Gpt2Config): Gpt2 {
  const options = resolveGpt2Config(config);
  const parameters = gpt2Parameters(options);
  return {
    name: `gpt2-${options.width}x${options.depth}`,
    config: options,
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
  };
}

/** Token embeddings plus those of the positions from `start` on: [batch, length] → [batch, length, width]. */
function embed(ops: Operations, tokens: Tensor, start: number, options: Required<Gpt2Config>, context: LayerContext) {
  const [length, { width }] = [tokens.shape[1]!, options];
  return ops.scope(() => {
    const embedded = ops.gather(parameter(context.weights, 'tokenEmbedding.weight'), tokens);
    const positions = ops.slice(parameter(context.weights, 'positionEmbedding'), [start, 0], [length, width]);
    return dropout(ops, ops.add(embedded, positions), options.dropout, 'embedding', context);
  });
}

/** The final norm, and the product with the transposed token embedding: [..., width] → [..., vocabulary]. */
function logitsOf(ops: Operations, x: Tensor, options: Required<Gpt2Config>, context: LayerContext): Tensor {
  return ops.scope(() =>
    quantizedMatmul(
      ops,
      layerNorm(ops, x, 'norm', options.layerNormEpsilon, context),
      parameter(context.weights, 'tokenEmbedding.weight'),
      {
        precision: options.quantizeHead ? context.precision : fullPrecision,
        key: context.key,
        product: 'head',
        transposeB: true,
      },
    ),
  );
}

/** Every parameter in the order of the forward pass, begun as the published models were. */
function gpt2Parameters(options: Required<Gpt2Config>): ParameterSpecifications {
  const { vocabularySize, contextLength, width, depth } = options;
  // 2 · depth branches add up in the residual stream; each begins smaller by the root of their number.
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
      'tokenEmbedding.weight': { shape: [vocabularySize, width], initialization: matrix },
      positionEmbedding: { shape: [contextLength, width], initialization: matrix },
    },
    ...blocks,
    normParameters('norm', width),
  );
}

function checkTokens(tokens: Tensor, contextLength: number): void {
  const { shape, dtype } = tokens;
  if (dtype !== 'i32') {
    throw new LmdError('DTYPE_MISMATCH', `Tokens are ${dtype}, and this model needs i32.`, {
      subject: 'tokens',
      value: dtype,
      remedy: 'Make the tensor from an Int32Array.',
    });
  }
  if (shape.length === 2 && shape[1]! >= 1 && shape[1]! <= contextLength) return;
  throw new LmdError(
    'SHAPE_MISMATCH',
    `Tokens have shape [${shape}], and this model needs [batch, length] with a length of 1 to ${contextLength}.`,
    { subject: 'tokens', value: shape, remedy: 'Cut the text, or configure the model with a larger contextLength.' },
  );
}
