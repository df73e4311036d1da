import { type ForwardContext, LmdError, type Model, type NamedTensors, type Operations, type Tensor } from '@lmd/core';
import { blockParameters, linearParameters, normParameters, type ParameterSpecifications } from './block-parameters.js';
import { fanIn, initializeParameters, normal } from './initialization.js';
import type { LayerContext } from './layers/context.js';
import { dropout } from './layers/dropout.js';
import { layerNorm } from './layers/layer-norm.js';
import { linear } from './layers/linear.js';
import { checkWeights, parameter } from './layers/parameters.js';
import { patchEmbedding } from './layers/patch-embedding.js';
import { transformerBlock } from './layers/transformer-block.js';
import { modelMarker } from './made-by.js';
import { fullPrecision } from './precision.js';
import { type ResolvedVitConfig, resolveVitConfig, type VitConfig } from './vit-config.js';

export interface Vit extends Model {
  readonly architecture: 'vit';
  /** The configuration, with all defaults filled in. */
  readonly config: ResolvedVitConfig;
  /** The input of the head: the pooled, normalized features [batch, width] of `images`. Arguments as in `forward`. */
  features: Model['forward'];
}

/**
 * A Vision Transformer (Dosovitskiy et al. 2021): images [batch, imageSize, imageSize, channels] → logits [batch,
 * classes]. All weights are [inputs, outputs]; names and shapes are in `parameters`.
 */
export function vit(config: VitConfig): Vit {
  const options = resolveVitConfig(config);
  const parameters = vitParameters(options);

  /** Layers of the patch embedding and of the head, the first and the last product. */
  const edgeOf = (layers: LayerContext) =>
    options.quantizeEmbeddingAndHead ? layers : { ...layers, precision: fullPrecision };

  function features(ops: Operations, weights: NamedTensors, images: Tensor, context: ForwardContext): Tensor {
    checkWeights(weights, parameters);
    checkImages(images, options);
    const layers: LayerContext = { ...context, weights };
    const batch = images.shape[0]!;
    return ops.scope(() => {
      let x = ops.scope(() => {
        const patches = patchEmbedding(ops, images, 'patchEmbedding', options.patchSize, edgeOf(layers));
        const tokens = options.pooling === 'mean' ? patches : ops.concatenate([classTokens(), patches], 1);
        const embedded = ops.add(tokens, parameter(weights, 'positionEmbedding'));
        return dropout(ops, embedded, options.dropout, 'embedding', layers);
      });
      for (let block = 0; block < options.depth; block += 1) {
        const stochasticDepth = (options.stochasticDepth * block) / Math.max(1, options.depth - 1);
        const y = transformerBlock(ops, x, `blocks.${block}`, { ...options, stochasticDepth }, layers);
        ops.dispose(x);
        x = y;
      }
      return pool(x);
    });

    function classTokens(): Tensor {
      return ops.broadcastTo(parameter(weights, 'classToken'), [batch, 1, options.width]);
    }

    function pool(x: Tensor): Tensor {
      const norm = (tokens: Tensor) => layerNorm(ops, tokens, 'norm', options.layerNormEpsilon, layers);
      if (options.pooling === 'mean') return ops.mean(norm(x), { axes: 1 });
      return norm(ops.reshape(ops.slice(x, [0, 0, 0], [batch, 1, options.width]), [batch, options.width]));
    }
  }

  return {
    ...modelMarker,
    name: `vit-${options.width}x${options.depth}/${options.patchSize}`,
    architecture: 'vit',
    config: options,
    parameters,
    initialize: (ops, seed) => initializeParameters(ops, parameters, seed),
    features,
    forward: (ops, weights, images, context) =>
      ops.scope(() => {
        const pooled = features(ops, weights, images, context);
        return linear(ops, pooled, 'head', edgeOf({ ...context, weights }));
      }),
  };
}

/** Every parameter in the order of the forward pass. */
function vitParameters(options: ResolvedVitConfig): ParameterSpecifications {
  const { width, depth, patchSize, channels, classes, pooling } = options;
  const patches = (options.imageSize / patchSize) ** 2;
  const length = pooling === 'classToken' ? patches + 1 : patches;
  const patchValues = patchSize * patchSize * channels;
  return Object.assign(
    linearParameters('patchEmbedding', patchValues, width, fanIn(patchValues)),
    pooling === 'classToken' ? { classToken: { shape: [width], initialization: normal(0.02) } } : {},
    { positionEmbedding: { shape: [length, width], initialization: normal(0.02) } },
    ...Array.from({ length: depth }, (_, block) => blockParameters(`blocks.${block}`, options, fanIn)),
    normParameters('norm', width),
    linearParameters('head', width, classes, fanIn(width)),
  );
}

function checkImages(images: Tensor, { imageSize, channels }: ResolvedVitConfig): void {
  const [, height, width, depth] = images.shape;
  if (images.shape.length === 4 && height === imageSize && width === imageSize && depth === channels) return;
  throw new LmdError(
    'SHAPE_MISMATCH',
    `Images have shape [${images.shape}], but this model needs [batch, ${imageSize}, ${imageSize}, ${channels}].`,
    { subject: 'images', value: images.shape, remedy: 'Resize the images, or configure the model for their size.' },
  );
}
