import { type OptionTable, option, type ResolvedOptions } from '@lmd/core';
import { samplerOptionTable } from '../samplers.js';

export const daleLangevinOptionTable = {
  data: option.choice(['digits', 'clothes', 'mixture'], {
    default: 'digits',
    describe: 'MNIST, Fashion-MNIST, or a mixture of log-normals whose score is known.',
  }),
  folder: option.text({ describe: 'Folder with the four IDX files of the pictures.' }),
  process: option.choice(['paper', 'long'], {
    default: 'long',
    describe: 'Process and sampler of the paper, or a longer process and exact time reversal.',
  }),
  optimizer: option.choice(['adamw', 'lmd'], { default: 'adamw', describe: 'Optimizer of the score network.' }),
  learningRate: option.number({ above: 0, describe: 'Largest learning rate. Default: 0.01 for lmd, 0.002 for adamw.' }),
  precision: option.text({ default: 'fp32', describe: 'Precision of the matrix products, such as mxfp6_e3m2.' }),
  steps: option.integer({ atLeast: 1, describe: 'Training steps. Default: 5000, clothes 12000, mixture 1000.' }),
  batchSize: option.integer({ atLeast: 1, default: 64, describe: 'Number of pictures per training step.' }),
  rule: samplerOptionTable.rule,
  levels: option.integer({ atLeast: 1, default: 250, describe: samplerOptionTable.levels.describe }),
  inner: option.integer({ atLeast: 1, describe: 'Inner steps K at each noise level. Default: 1; unconstrained 4.' }),
  pictures: option.integer({ atLeast: 1, describe: 'Number of pictures to sample. Default: 100, mixture 500.' }),
  seed: option.integer({ atLeast: 0, default: 0, describe: 'Seed of the weights, the data order and the noise.' }),
} as const satisfies OptionTable;

export type DaleLangevinOptions = ResolvedOptions<typeof daleLangevinOptionTable>;
