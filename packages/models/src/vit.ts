import { LmdError, type Model, type NamedTensors, type Tensor } from '@lmd/core';
import {
  fanIn,
  type Initialization,
  initializeParameters,
  normal,
  ones,
  type ParameterSpecification,
  zeros,
} from './initialization.js';
import type { LayerContext } from './layers/context.js';
import { layerNorm } from './layers/layer-norm.js';
import { linear } from './layers/linear.js';
import { parameter } from './layers/parameters.js';
import { patchEmbedding } from './layers/patch-embedding.js';
import { transformerBlock } from './layers/transformer-block.js';
import { fullPrecision } from './precision.js';
import { resolveVitConfig, type VitConfig } from './vit-config.js';

/**
 * A Vision Transformer (Dosovitskiy et al. 2021): images [batch, imageSize, imageSize, channels] → logits [batch, classes].
 * All weights are [inputs, outputs]; names and shapes are in `parameters`.
 */
export function vit(config: VitConfig): Model {
  const options = resolveVitConfig(config);
  const parameters = vitParameters(options);
  return {
    name: `vit-${options.width}x${options.depth}/${options.patchSize}`,
    parameters,
    initialize: (ops, seed) => initializeParameters(ops, parameters, seed),
    forward(ops, weights, images, { precision, key }) {
      checkWeights(weights, parameters);
      checkImages(images, options);
      const context: LayerContext = { precision, key, weights };
      const edge = options.quantizeEmbeddingAndHead ? context : { ...context, precision: fullPrecision };
      const batch = images.shape[0]!;
      return ops.scope(() => {
        let x = ops.scope(() => {
          const patches = patchEmbedding(ops, images, 'patchEmbedding', options.patchSize, edge);
          const tokens = options.pooling === 'mean' ? patches : ops.concatenate([classTokens(batch), patches], 1);
          return ops.add(tokens, parameter(weights, 'positionEmbedding'));
        });
        for (let block = 0; block < options.depth; block += 1) {
          const y = transformerBlock(ops, x, `blocks.${block}`, options, context);
          ops.dispose(x);
          x = y;
        }
        return linear(ops, pool(x), 'head', edge);
      });

      function classTokens(count: number): Tensor {
        return ops.broadcastTo(parameter(weights, 'classToken'), [count, 1, options.width]);
      }

      function pool(x: Tensor): Tensor {
        const norm = (tokens: Tensor) => layerNorm(ops, tokens, 'norm', options.layerNormEpsilon, context);
        if (options.pooling === 'mean') return ops.mean(norm(x), { axes: 1 });
        return norm(ops.reshape(ops.slice(x, [0, 0, 0], [batch, 1, options.width]), [batch, options.width]));
      }
    },
  };
}

/** Every parameter in the order of the forward pass. */
function vitParameters(options: Required<VitConfig>): { [name: string]: ParameterSpecification } {
  const { width, depth, mlpWidth, patchSize, channels, classes } = options;
  const patches = (options.imageSize / patchSize) ** 2;
  const length = options.pooling === 'classToken' ? patches + 1 : patches;
  const parameters: { [name: string]: ParameterSpecification } = {};

  const add = (name: string, shape: readonly number[], initialization: Initialization): void => {
    parameters[name] = { shape, initialization };
  };
  const addLinear = (name: string, inputs: number, outputs: number): void => {
    add(`${name}.weight`, [inputs, outputs], fanIn(inputs));
    add(`${name}.bias`, [outputs], zeros);
  };
  const addNorm = (name: string): void => {
    add(`${name}.gain`, [width], ones);
    add(`${name}.bias`, [width], zeros);
  };

  addLinear('patchEmbedding', patchSize * patchSize * channels, width);
  if (options.pooling === 'classToken') add('classToken', [width], normal(0.02));
  add('positionEmbedding', [length, width], normal(0.02));
  for (let block = 0; block < depth; block += 1) {
    addNorm(`blocks.${block}.norm1`);
    addLinear(`blocks.${block}.attention.qkv`, width, 3 * width);
    addLinear(`blocks.${block}.attention.projection`, width, width);
    addNorm(`blocks.${block}.norm2`);
    addLinear(`blocks.${block}.mlp.up`, width, mlpWidth);
    addLinear(`blocks.${block}.mlp.down`, mlpWidth, width);
  }
  addNorm('norm');
  addLinear('head', width, classes);
  return parameters;
}

function checkWeights(weights: NamedTensors, parameters: Model['parameters']): void {
  for (const [name, { shape }] of Object.entries(parameters)) {
    const actual = parameter(weights, name).shape;
    if (actual.join() === shape.join()) continue;
    throw new LmdError(
      'SHAPE_MISMATCH',
      `The weight "${name}" has shape [${actual}], and this model needs [${shape}].`,
      {
        subject: name,
        value: actual,
        remedy: 'Weights and model must have the same configuration.',
      },
    );
  }
}

function checkImages(images: Tensor, { imageSize, channels }: Required<VitConfig>): void {
  const [, height, width, depth] = images.shape;
  if (images.shape.length === 4 && height === imageSize && width === imageSize && depth === channels) return;
  throw new LmdError(
    'SHAPE_MISMATCH',
    `Images have shape [${images.shape}], and this model needs [batch, ${imageSize}, ${imageSize}, ${channels}].`,
    { subject: 'images', value: images.shape, remedy: 'Resize the images, or configure the model for their size.' },
  );
}
