import type { ConfigurationInput } from '../configuration/schema.js';

/**
 * A small ViT on MNIST, trained with LMD and with AdamW with the same MXFP6 (E3M2) forward pass. `npm start` runs it.
 */
export const firstLight: ConfigurationInput = {
  name: 'first-light',
  seed: 0,
  steps: 2000,
  batchSize: 64,
  backend: 'cpu',
  precision: 'mxfp6_e3m2',
  data: { kind: 'mnist', validation: 1000 },
  model: { kind: 'vit', patchSize: 7, width: 64, depth: 2, heads: 4, pooling: 'mean' },
  optimizers: [
    {
      name: 'lmd',
      rule: 'lmd',
      learningRate: 9.6e-3,
      regularization: 0.54,
      noise: 0.11,
      priorMedianFloor: 0.3,
      rest: { learningRate: 9.9e-3, beta2: 0.99, weightDecay: 0 },
      schedule: { kind: 'cosine', warmup: 30, final: 0.05 },
    },
    {
      name: 'adamw',
      rule: 'adamw',
      learningRate: 1.2e-2,
      beta2: 0.95,
      weightDecay: 0.1,
      schedule: { kind: 'cosine', warmup: 30, final: 0.05 },
    },
  ],
  evaluation: { every: 100, batchSize: 250, weights: 'mean' },
  checkpoints: { every: 100, keep: 2 },
};
