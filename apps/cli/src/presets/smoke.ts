import type { ConfigurationInput } from '../configuration/schema.js';

/**
 * Runs everything in seconds: a tiny ViT on synthetic images. Shows that an installation works. Its accuracy has no
 * meaning.
 */
export const smoke: ConfigurationInput = {
  name: 'smoke',
  seed: 0,
  steps: 24,
  batchSize: 16,
  backend: 'cpu',
  precision: 'mxfp6_e3m2',
  data: { kind: 'synthetic', train: 96, validation: 32, test: 32, classes: 4, size: 8, channels: 1, noise: 0.5 },
  model: { kind: 'vit', patchSize: 4, width: 32, depth: 1, heads: 2, pooling: 'mean' },
  optimizers: [
    {
      name: 'lmd',
      rule: 'lmd',
      learningRate: 1e-2,
      regularization: 0.3,
      noise: 0.05,
      priorMedianFloor: 0.5,
      rest: { learningRate: 3e-3 },
      schedule: { kind: 'cosine', warmup: 4, final: 0.1 },
    },
    {
      name: 'adamw',
      rule: 'adamw',
      learningRate: 3e-3,
      schedule: { kind: 'cosine', warmup: 4, final: 0.1 },
    },
  ],
  evaluation: { every: 8, batchSize: 32, weights: 'mean' },
  checkpoints: { every: 8, keep: 2 },
};
