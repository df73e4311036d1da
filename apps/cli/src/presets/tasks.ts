import type { ConfigurationInput } from '../configuration/schema.js';

/** LMD's settings by what is trained, as docs/choosing-settings.md recommends for runs of a few hundred steps. */
export const recommendedSettings = {
  images: { learningRate: 0.01, regularization: 0.6, noise: 0.02, rest: { learningRate: 0.02 } },
  characters: { learningRate: 0.04, regularization: 0.2, noise: 0.04, rest: { learningRate: 0.02 } },
} as const;

type Task = Pick<ConfigurationInput, 'steps' | 'batchSize' | 'data' | 'model'>;

/** A run with the recommended settings, validated ten times. */
function taskPreset(name: string, of: keyof typeof recommendedSettings, task: Task): ConfigurationInput {
  const { rest, ...settings } = recommendedSettings[of];
  const every = task.steps / 10;
  return {
    name,
    seed: 0,
    ...task,
    precision: 'mxfp6_e2m3',
    optimizers: [
      {
        ...{ name: 'lmd', rule: 'lmd', ...settings },
        rest: { ...rest, beta2: 0.99, weightDecay: 0 },
        schedule: { kind: 'cosine', warmup: task.steps / 20, final: 0.05 },
        ...(of === 'characters' ? { clipNorm: 1 } : {}),
      },
    ],
    evaluation: { every },
    checkpoints: { every },
  };
}

const digit = { kind: 'vit', patchSize: 7, width: 64, depth: 2, heads: 2, pooling: 'mean' } as const;

/** The ViT of docs/settings/digits on MNIST. */
export const digits = taskPreset('digits', 'images', {
  steps: 300,
  batchSize: 32,
  data: { kind: 'mnist', validation: 1000 },
  model: digit,
});

/** The ViT of docs/settings/clothes on Fashion-MNIST. */
export const clothes = taskPreset('clothes', 'images', {
  steps: 200,
  batchSize: 32,
  data: { kind: 'fashion-mnist', validation: 1000 },
  model: digit,
});

/**
 * The ViT of docs/settings/pictures on pictures of one's own, in one folder per class. It pools by a class token, with
 * which alone transformers has a classifier.
 */
export const ownPictures = taskPreset('own-pictures', 'images', {
  steps: 400,
  batchSize: 32,
  data: { kind: 'imageFolder', folder: 'pictures', size: 32, augmentation: { padding: 2, flip: 0.5 } },
  model: { ...digit, patchSize: 8, pooling: 'classToken' },
});

/** The GPT-2 of docs/settings/characters on a text of one's own, a token for each character. */
export const ownText = taskPreset('own-text', 'characters', {
  steps: 400,
  batchSize: 8,
  data: { kind: 'text', path: 'book.txt', tokenizer: 'characters', length: 64, validation: 0.1 },
  model: { kind: 'gpt2', width: 64, depth: 2, heads: 2 },
});
