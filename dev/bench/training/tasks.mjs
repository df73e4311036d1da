import { gpt2, gpt2Preset, vit, vitPreset } from '@lmd/models';

const adamwOptions = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

/**
 * The optimizers and formats to measure. For tasks with targets, `target` is the lower bound of the speed relative to
 * PyTorch.
 */
export const rules = [
  { name: 'adamw', label: 'AdamW, FP32', format: 'fp32', rest: adamwOptions, target: 1, peer: 'PyTorch' },
  {
    name: 'lmd',
    label: 'LMD, E2M3 forward',
    format: 'mxfp6_e2m3',
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.99,
    regularization: 0.3,
    noise: 0.05,
    priorMedianFloor: 0.5,
    rest: adamwOptions,
    target: 5,
    peer: 'PyTorch, torchao, eager LMD',
  },
];

/** Settings of both programs. */
const vitConfig = (preset) => ({ gelu: 'none', layerNormEpsilon: 1e-6, pooling: 'classToken', ...vitPreset(preset) });

/** Sizes of the training steps. `unit` is that of their speed. Targets apply without recomputation. */
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
    hasTargets: true,
  },
  'gpt2-nano': {
    label: 'GPT-2 6×384, 256 tokens, batch 8',
    model: 'gpt2',
    config: gpt2Preset('nano'),
    batch: 8,
    length: 256,
    unit: 'tokens/s',
    timedSteps: 3,
    hasTargets: true,
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
  const whole = recomputation ? { ...config, recomputation: 'blocks' } : config;
  return model === 'gpt2' ? gpt2(whole) : vit(whole);
}

/** Number of images or tokens per step. */
export function unitsPerStep({ batch, length = 1 }) {
  return batch * length;
}
