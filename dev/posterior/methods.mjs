/**
 * The methods of the posterior study, each with the space of its search, and how one network is trained.
 */
import { optimizerFromDescription } from '@lmd/core';
import { groupsBesideAdamw, precisionPreset, vit } from '@lmd/models';
import { train } from '@lmd/training';
import { checkpointing, latestCheckpoint } from '@lmd/training/node';

/** @returns {{ scale: 'log', minimum: number, maximum: number }} */
const log = (minimum, maximum) => ({ scale: 'log', minimum, maximum });
const lmdSpace = {
  learningRate: log(0.006, 0.04),
  regularization: log(0.2, 0.8),
};
const adamwSpace = { learningRate: log(0.001, 0.015), weightDecay: log(0.01, 1) };

/**
 * @typedef {object} Method
 * @property {string} title
 * @property {'adamw' | 'ivon' | 'lmd'} rule
 * @property {Record<string, number>} options
 * @property {Record<string, {minimum: number, maximum: number, scale: 'log'}>} search
 * @property {number} [dropout] dropout in training, and in prediction with `draws`
 * @property {number} [members] number of networks whose predictions are averaged
 * @property {number} draws number of draws whose predictions are averaged
 */
/** @type {Record<string, Method>} */
export const methods = {
  adamw: { title: 'AdamW', rule: 'adamw', options: { beta2: 0.99 }, search: adamwSpace, draws: 1 },
  ensemble: {
    ...{ title: 'deep ensemble of AdamW', rule: 'adamw', options: { beta2: 0.99 }, search: adamwSpace },
    ...{ members: 3, draws: 3 },
  },
  dropout: {
    ...{ title: 'MC dropout 0.1, AdamW', rule: 'adamw', options: { beta2: 0.99 }, search: adamwSpace },
    ...{ dropout: 0.1, draws: 32 },
  },
  ivon: {
    ...{ title: 'IVON', rule: 'ivon', draws: 32 },
    options: { beta2: 0.9999, weightDecay: 0.0001, initialHessian: 0.2 },
    search: {
      learningRate: log(0.2, 2),
      effectiveSampleSize: log(58000, 5800000),
    },
  },
  'lmd-0.1': { title: 'LMD, noise 0.1', rule: 'lmd', options: { noise: 0.1 }, search: lmdSpace, draws: 32 },
  'lmd-0.3': { title: 'LMD, noise 0.3', rule: 'lmd', options: { noise: 0.3 }, search: lmdSpace, draws: 32 },
};

export const batchSize = 64;
const rest = { learningRate: 0.005, beta2: 0.99, weightDecay: 0 };
const sizes = { imageSize: 28, channels: 1, classes: 10, patchSize: 7, width: 64, depth: 2, heads: 2 };

/** The network of a method: a Vision Transformer, with its dropout. */
export const networkOf = ({ dropout = 0 }) => vit({ ...sizes, pooling: /** @type {const} */ ('mean'), dropout });

/** The optimizer of a method with searched options. */
export function optimizerOf({ rule, options }, searched, steps) {
  const groups = groupsBesideAdamw({ rule, options: { ...options, ...searched } }, networkOf({}).parameters, rest);
  return optimizerFromDescription({
    groups,
    schedule: { kind: 'cosine', warmup: Math.floor(steps / 10), final: 0, steps },
  });
}

/**
 * Trains one network, or goes on from the newest checkpoint in `folder`. The caller owns the result.
 */
export function trainOne({ ops, method, searched, steps, seed, data, folder, signal, onStep }) {
  return train({
    ops,
    model: networkOf(method),
    optimizer: optimizerOf(method, searched, steps),
    precision: precisionPreset('fp32'),
    data: { train: data.train },
    ...{ seed, batchSize, steps, signal },
    plugins: [checkpointing({ folder, every: 500, keep: 1 }), { name: 'steps', step: ({ step }) => onStep(step) }],
    resume: () => latestCheckpoint(folder),
  });
}
