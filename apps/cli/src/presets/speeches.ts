import type { ConfigurationInput } from '../configuration/schema.js';

/** A small GPT-2 on the State of the Union speeches, with LMD in MXFP6 and with AdamW in FP32. Takes hours. */
export const speeches: ConfigurationInput = {
  name: 'speeches',
  seed: 0,
  steps: 2000,
  batchSize: 4,
  backend: 'cpu',
  precision: 'mxfp6_e3m2',
  data: { kind: 'tokens', folder: 'data/sotu', length: 256 },
  model: { kind: 'gpt2', preset: 'nano' },
  optimizers: [
    {
      name: 'lmd',
      rule: 'lmd',
      learningRate: 1.6e-2,
      regularization: 0.2,
      noise: 0.025,
      priorMedianFloor: 0.5,
      rest: { learningRate: 1e-3, beta2: 0.99, weightDecay: 0 },
      schedule: { kind: 'cosine', warmup: 100, final: 0.05 },
      clipNorm: 1,
    },
    {
      name: 'adamw',
      rule: 'adamw',
      precision: 'fp32',
      learningRate: 1.5e-3,
      beta2: 0.99,
      weightDecay: 0.1,
      schedule: { kind: 'cosine', warmup: 100, final: 0.05 },
      clipNorm: 1,
    },
  ],
  evaluation: { every: 250, batchSize: 8, examples: 64, weights: 'mean' },
  checkpoints: { every: 100, keep: 2 },
};
