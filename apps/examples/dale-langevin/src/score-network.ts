import {
  type ForwardContext,
  LmdError,
  type Model,
  type NamedTensors,
  type Operations,
  streamOf,
  type Tensor,
} from '@lmd/core';
import {
  initializeParameters,
  type LayerContext,
  layerNorm,
  linear,
  linearParameters,
  patchEmbedding,
  sinusoidalPositions,
  transformerBlock,
  unpatchify,
  type VitConfig,
  vit,
} from '@lmd/models';
import type { LossFunction } from '@lmd/training';
import { addNoise, type MultiplicativeScore, type Process, scoreMatchingLoss } from './process.js';

/** Of the transformer, whose pictures have `imageSize`² pixels, and of the process. */
export interface ScoreNetworkOptions extends Pick<VitConfig, 'imageSize' | 'patchSize' | 'width' | 'depth' | 'heads'> {
  readonly process: Process;
  /** Mean and standard deviation of log x₀ over all pixels. */
  readonly logMean: number;
  readonly logDeviation: number;
}

/** Centres of the time embedding: bumps over log σ√t, whose spacing is their width. */
const centres = Array.from({ length: 32 }, (_, i) => -4.7 + 0.2 * i);

/**
 * A transformer over patches that estimates x∘s(x, t): [batch, size, size, 2], the pixels of x and, in the second
 * channel, the time t of each picture, → [batch, size, size, 1]. Its parameters are those of a Vision Transformer,
 * whose head gives the pixels of a patch, and of a time embedding that is added to all tokens before each block.
 *
 * With v = s₀² + σ²t, the variance of log x_t, and the transformer's output F: x∘s = −1 − (log x_t − m)/v +
 * s₀/(σ√(tv))·F. The first two terms are the score of a log-normal with the data's mean and variance; F corrects it.
 * The factors give F inputs and targets of variance about 1 at all times (Karras et al., arXiv:2206.00364, table 1).
 */
export function scoreNetwork(options: ScoreNetworkOptions): Model {
  const { process, logMean, logDeviation, ...transformer } = options;
  const { drift, volatility } = process;
  const { imageSize, patchSize, width, depth } = transformer;
  const body = vit({ ...transformer, channels: 1, classes: patchSize ** 2, pooling: 'mean' });
  const time = {
    ...linearParameters('time.up', centres.length, width),
    ...linearParameters('time.down', width, width),
  };

  function transform(ops: Operations, x: Tensor, logNoise: Tensor, layers: LayerContext): Tensor {
    const distance = ops.divide(ops.subtract(ops.reshape(logNoise, [-1, 1, 1]), ops.fromData(centres)), 0.2);
    const bumps = ops.exp(ops.multiply(ops.multiply(distance, distance), -0.5));
    const embedded = linear(ops, ops.gelu(linear(ops, bumps, 'time.up', layers)), 'time.down', layers);
    const patches = patchEmbedding(ops, x, 'patchEmbedding', patchSize, layers);
    let tokens = ops.add(patches, layers.weights.positionEmbedding!);
    for (let block = 0; block < depth; block++) {
      tokens = transformerBlock(ops, ops.add(tokens, embedded), `blocks.${block}`, body.config, layers);
    }
    tokens = layerNorm(ops, tokens, 'norm', body.config.layerNormEpsilon, layers);
    return unpatchify(ops, linear(ops, tokens, 'head', layers), imageSize, patchSize);
  }

  return {
    name: `score-${width}x${depth}/${patchSize}`,
    parameters: { ...body.parameters, ...time },
    initialize: (ops, seed) => {
      const initial = body.initialize(ops, seed);
      ops.dispose(initial.positionEmbedding!);
      const positionEmbedding = sinusoidalPositions(ops, imageSize / patchSize, width);
      return { ...initial, positionEmbedding, ...initializeParameters(ops, time, seed) };
    },
    forward: (ops, weights, inputs, context) =>
      ops.scope(() => {
        const [batch, ...picture] = inputs.shape as [number, ...number[]];
        if (picture.join() !== `${imageSize},${imageSize},2`) throw wrongSize(inputs.shape, imageSize);
        const x = ops.slice(inputs, [0, 0, 0, 0], [batch, imageSize, imageSize, 1]);
        const t = ops.slice(inputs, [0, 0, 0, 1], [batch, 1, 1, 1]);
        const noise = ops.multiply(ops.sqrt(t), volatility);
        const variance = ops.add(ops.multiply(noise, noise), logDeviation ** 2);
        const deviation = ops.sqrt(variance);
        const centered = ops.subtract(ops.log(x), ops.add(ops.multiply(t, drift - volatility ** 2 / 2), logMean));
        const output = transform(ops, ops.divide(centered, deviation), ops.log(noise), { ...context, weights });
        const correction = ops.multiply(output, ops.divide(logDeviation, ops.multiply(noise, deviation)));
        return ops.subtract(ops.subtract(correction, ops.divide(centered, variance)), 1);
      }),
  };
}

/** The network with its weights, for the loss and the samplers. */
export function scoreOf(network: Model, weights: NamedTensors, context: ForwardContext): MultiplicativeScore {
  return (ops, x, t) =>
    ops.scope(() => network.forward(ops, weights, ops.concatenate([x, ops.broadcastTo(t, x.shape)], 3), context));
}

/** The loss for `train`: noise is added to the pictures x₀ of a batch, each at another time. */
export function scoreLoss(
  network: Model,
  { process, logDeviation }: Pick<ScoreNetworkOptions, 'process' | 'logDeviation'>,
): LossFunction {
  return (ops, weights, { inputs: x0 }, context) => {
    const count = x0.shape[0]!;
    const key = (name: string) => ({ ...context.key, stream: streamOf(name) });
    // One u from each of `count` equal parts of (0, 1], so that every batch covers all noise levels.
    const ends = Array.from({ length: count }, (_, index) => (index + 1) / count);
    const uniform = ops.randomUniform([count, 1, 1, 1], key('time'));
    const u = ops.subtract(ops.fromData(ends, [count, 1, 1, 1]), ops.multiply(uniform, (1 - 1e-3) / count));
    const t = ops.multiply(ops.exp(ops.multiply(ops.log(u), process.power)), process.duration);
    const xt = addNoise(ops, process, x0, t, ops.randomNormal(x0.shape, key('noise')));
    const variance = ops.add(ops.multiply(t, process.volatility ** 2), logDeviation ** 2);
    const weight = process.weighted ? ops.divide(1, variance) : 1;
    return scoreMatchingLoss(ops, process, scoreOf(network, weights, context), { x0, xt, t }, weight);
  };
}

const wrongSize = (shape: readonly number[], size: number) =>
  new LmdError('SHAPE_MISMATCH', `x with its times has the shape [${shape}], not [batch, ${size}, ${size}, 2].`, {
    subject: 'inputs',
    value: shape,
    remedy: 'Resize the pictures, or train a network for their size.',
  });
