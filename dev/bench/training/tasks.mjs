import { longProcess, scoreMatchingLoss, scoreNetwork, scoreOf } from '@lmd/dale-langevin';
import { gpt2, gpt2Preset, vit, vitPreset } from '@lmd/models';

const adamwOptions = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

const lmdOptions = {
  format: 'mxfp6_e2m3',
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.99,
  regularization: 0.3,
  noise: 0.05,
  priorMedianFloor: 0.5,
  rest: adamwOptions,
};

/**
 * The optimizers and formats to measure. For tasks with targets, `target` is the lower bound of the speed relative to
 * PyTorch, and `memoryTarget` that of the memory of our AdamW in FP32 relative to theirs. Without `peer`, PyTorch has
 * no such optimizer.
 */
export const rules = [
  { name: 'adamw', label: 'AdamW, FP32', format: 'fp32', rest: adamwOptions, target: 1, peer: 'PyTorch' },
  { name: 'lmd', label: 'LMD, E2M3 forward', ...lmdOptions, target: 5, peer: 'PyTorch, torchao, eager LMD' },
  {
    name: 'lmd-block8',
    label: 'LMD with 8-bit state, E2M3 forward',
    ...lmdOptions,
    state: { stateFormat: 'block8', gradientScaling: 'none' },
    memoryTarget: 1,
  },
];

/** Settings of both programs. */
const vitConfig = (preset) => ({ gelu: 'none', layerNormEpsilon: 1e-6, pooling: 'classToken', ...vitPreset(preset) });

/** The score network of the diffusion example, as its command trains it on MNIST. */
const scoreConfig = {
  imageSize: 28,
  patchSize: 4,
  width: 128,
  depth: 4,
  heads: 4,
  logMean: 0.094,
  logDeviation: 0.217,
};

/**
 * Sizes of the training steps. `unit` is that of their speed. `targets` names the rules whose target applies, without
 * recomputation, which the score network does not have. `comparesGradients` keeps the gradients of one step in memory
 * beside those of training.
 */
export const tasks = {
  'vit-tiny': {
    label: 'ViT 64×2, patch 7, batch 64',
    model: 'vit',
    config: vitConfig('tiny'),
    batch: 64,
    unit: 'images/s',
    timedSteps: 20,
  },
  'gpt2-char': {
    label: 'GPT-2 4×128, 64 tokens, batch 8',
    model: 'gpt2',
    config: gpt2Preset('char'),
    batch: 8,
    length: 64,
    unit: 'tokens/s',
    timedSteps: 20,
  },
  'vit-ti4': {
    label: 'ViT-Ti/4, 32×32, batch 64',
    model: 'vit',
    config: vitConfig('Ti/4'),
    batch: 64,
    unit: 'images/s',
    timedSteps: 4,
    targets: ['adamw', 'lmd', 'lmd-block8'],
  },
  score: {
    label: 'score network 128×4/4, 28×28, batch 64',
    model: 'score',
    config: { gelu: 'none', layerNormEpsilon: 1e-6, process: longProcess, ...scoreConfig },
    batch: 64,
    unit: 'images/s',
    timedSteps: 12,
    targets: ['adamw'],
    comparesGradients: true,
  },
  'gpt2-nano': {
    label: 'GPT-2 6×384, 256 tokens, batch 8',
    model: 'gpt2',
    config: gpt2Preset('nano'),
    batch: 8,
    length: 256,
    unit: 'tokens/s',
    timedSteps: 3,
    targets: ['adamw', 'lmd', 'lmd-block8'],
  },
  'vit-s16': {
    label: 'ViT-S/16, 224×224, batch 8',
    model: 'vit',
    config: vitConfig('S/16'),
    batch: 8,
    unit: 'images/s',
    timedSteps: 3,
  },
  'gpt2-124m': {
    label: 'GPT-2 124M, 256 tokens, batch 1',
    model: 'gpt2',
    config: gpt2Preset('124M'),
    batch: 1,
    length: 256,
    unit: 'tokens/s',
    timedSteps: 3,
  },
};

/** The model of a task, with `recomputation` of its blocks if asked. */
export function modelOf({ model, config }, recomputation = false) {
  if (model === 'score') {
    const { gelu, layerNormEpsilon, ...options } = config;
    return scoreNetwork(options);
  }
  const whole = recomputation ? { ...config, recomputation: 'blocks' } : config;
  return model === 'gpt2' ? gpt2(whole) : vit(whole);
}

const key = { seed: 1, stream: 0, step: 0, sample: 0 };

/** The constant batch of a task, as tensors by name. */
export function batchOf(ops, { model, config, batch, length }) {
  const { imageSize, channels, classes } = config;
  const tokens = (seed, shape, count) =>
    ops.scope(() => ops.cast(ops.multiply(ops.randomUniform(shape, { ...key, seed }), count), 'i32'));
  switch (model) {
    case 'gpt2': {
      const shape = [batch, length];
      return { inputs: tokens(2, shape, config.vocabularySize), labels: tokens(3, shape, config.vocabularySize) };
    }
    case 'score': {
      const { volatility, duration } = config.process;
      const shape = [batch, imageSize, imageSize, 1];
      const labels = ops.add(ops.randomUniform(shape, key), 1);
      const times = ops.fromData(Float32Array.from({ length: batch }, (_, i) => (duration * (i + 1)) / batch));
      const inputs = ops.scope(() => {
        const noise = ops.multiply(ops.reshape(ops.sqrt(times), [batch, 1, 1, 1]), volatility);
        return ops.multiply(labels, ops.exp(ops.multiply(noise, ops.randomNormal(shape, { ...key, seed: 2 }))));
      });
      return { inputs, labels, times };
    }
    default:
      return {
        inputs: ops.randomNormal([batch, imageSize, imageSize, channels], key),
        labels: tokens(3, [batch], classes),
      };
  }
}

/** The loss of a batch: cross-entropy, or that of the diffusion example with its weights by time. */
export function lossOf({ model: kind, config }, model, ops, weights, { inputs, labels, times }, context) {
  if (kind === 'score') {
    const { process, logDeviation } = config;
    const t = ops.reshape(times, [-1, 1, 1, 1]);
    const variance = ops.add(ops.multiply(t, process.volatility ** 2), logDeviation ** 2);
    const noisy = { x0: labels, xt: inputs, t };
    return scoreMatchingLoss(ops, process, scoreOf(model, weights, context), noisy, ops.divide(1, variance));
  }
  const logits = model.forward(ops, weights, inputs, context);
  const rows = ops.reshape(logits, [-1, logits.shape.at(-1)]);
  return ops.mean(ops.crossEntropy(rows, ops.reshape(labels, [-1])));
}

/** Number of images or tokens per step. */
export function unitsPerStep({ batch, length = 1 }) {
  return batch * length;
}
