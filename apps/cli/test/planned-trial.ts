import { hashOf, type PlannedTrial, type TrialConfiguration } from '../src/experiment/trial.js';

const configuration: TrialConfiguration = {
  dataSeed: 0,
  backend: 'reference',
  data: { kind: 'synthetic', train: 32, validation: 16, test: 16 },
  model: { kind: 'vit', patchSize: 4, width: 32, depth: 1, heads: 1, pooling: 'mean' },
  batchSize: 8,
  seed: 0,
  steps: 4,
  precision: 'fp32',
  optimizers: [
    {
      name: 'trial',
      rule: 'lmd',
      noise: 0.1,
      learningRate: 0.02,
      rest: { learningRate: 0.005 },
      schedule: { kind: 'cosine', warmup: 0 },
    },
  ],
  evaluation: { batchSize: 16, every: 2, test: true, formats: ['mxfp4_e2m1'] },
  diagnostics: { quantizationNoise: true, every: 2 },
};

/** A trial that takes seconds, with all that a final run of a study does. */
export const plannedTrial: PlannedTrial = {
  label: 'final lmd fp32 seed 0',
  hash: hashOf(configuration),
  configuration,
  optimizer: 'lmd',
  options: { noise: 0.1, learningRate: 0.02 },
  steps: 4,
  split: 'test',
};
