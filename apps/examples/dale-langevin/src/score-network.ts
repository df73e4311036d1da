import {
  type ForwardContext,
  LmdError,
  type Model,
  type NamedTensors,
  type Operations,
  streamOf,
  type Tensor,
} from '@lmd/core';
import { type LayerContext, layerNorm, linear, patchEmbedding, transformerBlock, vit } from '@lmd/models';
import type { LossFunction } from '@lmd/training';
import { addNoise, type MultiplicativeScore, type Process, scoreMatchingLoss } from './process.js';

export interface ScoreNetworkOptions {
  readonly process: Process;
  /** Height and width of the pictures, in pixels; a multiple of `patchSize`. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Mean and standard deviation of log x₀ over all pixels. */
  readonly logMean: number;
  readonly logDeviation: number;
}

/** Centres of the time embedding: bumps over log σ√t, whose spacing is their width. */
const centres = Array.from({ length: 32 }, (_, index) => -4.7 + 0.2 * index);

/**
 * A transformer over patches that estimates x∘s(x, t): [batch, size, size, 2], the pixels of x and, in the second
 * channel, the time t of each picture, → [batch, size, size, 1]. Its parameters are those of a Vision Transformer,
 * whose head gives the pixels of a patch, and of a time embedding that is added to all tokens before each block.
 *
 * With v = s₀² + σ²t, the variance of log x_t, and the transformer's output F: x∘s = −1 − (log x_t − m)/v +
 * s₀/(σ√(tv))·F. The first two terms are the score of a log-normal with the data's mean and variance, and F corrects
 * it. The factors give F inputs and targets of variance about 1 at all times, as in Karras et al., arXiv:2206.00364,
 * table 1.
 */
export function scoreNetwork(options: ScoreNetworkOptions): Model {
  const { imageSize, patchSize, width, depth, heads, logMean, logDeviation } = options;
  const { drift, volatility } = options.process;
  const body = vit({
    imageSize,
    patchSize,
    width,
    depth,
    heads,
    channels: 1,
    classes: patchSize ** 2,
    pooling: 'mean',
  });
  const time: Model['parameters'] = {
    'time.up.weight': { shape: [centres.length, width] },
    'time.up.bias': { shape: [width] },
    'time.down.weight': { shape: [width, width] },
    'time.down.bias': { shape: [width] },
  };

  function transform(ops: Operations, x: Tensor, logNoise: Tensor, layers: LayerContext): Tensor {
    const distance = ops.divide(ops.subtract(ops.reshape(logNoise, [-1, 1, 1]), ops.fromData(centres)), 0.2);
    const bumps = ops.exp(ops.multiply(ops.multiply(distance, distance), -0.5));
    const embedded = linear(ops, ops.gelu(linear(ops, bumps, 'time.up', layers)), 'time.down', layers);
    let tokens = patchEmbedding(ops, x, 'patchEmbedding', patchSize, layers);
    tokens = ops.add(tokens, layers.weights.positionEmbedding!);
    for (let block = 0; block < depth; block++) {
      tokens = transformerBlock(ops, ops.add(tokens, embedded), `blocks.${block}`, body.config, layers);
    }
    tokens = layerNorm(ops, tokens, 'norm', body.config.layerNormEpsilon, layers);
    return unpatchify(ops, linear(ops, tokens, 'head', layers), imageSize, patchSize);
  }

  function forward(ops: Operations, weights: NamedTensors, inputs: Tensor, context: ForwardContext): Tensor {
    checkPictures(inputs, imageSize);
    const batch = inputs.shape[0]!;
    return ops.scope(() => {
      const x = ops.slice(inputs, [0, 0, 0, 0], [batch, imageSize, imageSize, 1]);
      const t = ops.slice(inputs, [0, 0, 0, 1], [batch, 1, 1, 1]);
      const noise = ops.multiply(ops.sqrt(t), volatility);
      const variance = ops.add(ops.multiply(noise, noise), logDeviation ** 2);
      const deviation = ops.sqrt(variance);
      const centered = ops.subtract(ops.log(x), ops.add(ops.multiply(t, drift - volatility ** 2 / 2), logMean));
      const output = transform(ops, ops.divide(centered, deviation), ops.log(noise), { ...context, weights });
      const correction = ops.multiply(output, ops.divide(logDeviation, ops.multiply(noise, deviation)));
      return ops.subtract(ops.subtract(correction, ops.divide(centered, variance)), 1);
    });
  }

  return {
    name: `score-${width}x${depth}/${patchSize}`,
    parameters: { ...body.parameters, ...time },
    initialize: (ops, seed) => {
      const initial = body.initialize(ops, seed);
      ops.dispose(initial.positionEmbedding!);
      const positionEmbedding = positions(ops, imageSize / patchSize, width);
      return { ...initial, positionEmbedding, ...initializeTime(ops, time, seed) };
    },
    forward,
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

/** [batch, patches, patchSize²] → [batch, size, size, 1], the inverse of `patchify`. */
function unpatchify(ops: Operations, tokens: Tensor, size: number, patchSize: number): Tensor {
  const split = ops.reshape(tokens, [-1, size / patchSize, patchSize, patchSize]);
  return ops.reshape(ops.transpose(split, [0, 2, 1, 3]), [-1, size, size, 1]);
}

/**
 * Sines and cosines of row and column, [across², width]: with random small values, as of `vit`, attention takes
 * hundreds of steps to find the neighbours of a patch.
 */
function positions(ops: Operations, across: number, width: number): Tensor {
  const table = Array.from({ length: across ** 2 * width }, (_, at) => {
    const [patch, channel] = [Math.floor(at / width), at % width];
    const coordinate = channel % 2 === 0 ? Math.floor(patch / across) : patch % across;
    const frequency = (Math.PI / 2) * 0.1 ** ((4 * Math.floor(channel / 4)) / width);
    return channel % 4 < 2 ? Math.sin(frequency * coordinate) : Math.cos(frequency * coordinate);
  });
  return ops.fromData(table, [across ** 2, width]);
}

/** Matrices as those of `vit`, normal with the variance 1/inputs; zero biases. */
function initializeTime(ops: Operations, parameters: Model['parameters'], seed: number): NamedTensors {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }]) => {
      if (shape.length === 1) return [name, ops.zeros(shape)];
      const key = { seed, stream: streamOf(name), step: 0, sample: 0 };
      return [name, ops.scope(() => ops.multiply(ops.randomNormal(shape, key), 1 / Math.sqrt(shape[0]!)))];
    }),
  );
}

function checkPictures(inputs: Tensor, size: number): void {
  const [, height, width, channels] = inputs.shape;
  if (inputs.shape.length === 4 && height === size && width === size && channels === 2) return;
  throw new LmdError(
    'SHAPE_MISMATCH',
    `Pictures with their times have the shape [${inputs.shape}], but this network needs [batch, ${size}, ${size}, 2].`,
    { subject: 'inputs', value: inputs.shape, remedy: 'Resize the pictures, or train a network for their size.' },
  );
}
