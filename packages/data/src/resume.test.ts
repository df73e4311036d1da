import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, type EagerOperations, type Model } from '@lmd/core';
import { type Checkpoint, type Dataset, readTensors, train } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/temporary-folder.js';
import { imagesInMemory, transformImages } from './images/index.js';
import { openTokenFile, writeTokenFiles } from './node/index.js';
import { charactersOf, characterTokenizer } from './text/index.js';

const f32 = {
  forward: { weights: 'f32', activations: 'f32' },
  backward: { weights: 'f32', activations: 'f32', gradients: 'f32' },
} as const;

/** A table of logits by token, or one matrix over all pixels. */
function linear(rows: number, classes: number): Model {
  return {
    name: 'linear',
    parameters: { weight: { shape: [rows, classes] } },
    initialize: (ops, seed) => ({ weight: ops.randomNormal([rows, classes], { seed, stream: 1, step: 0, sample: 0 }) }),
    forward: (ops, { weight }, inputs) =>
      inputs.dtype === 'i32'
        ? ops.reshape(ops.gather(weight!, ops.reshape(inputs, [-1])), [...inputs.shape, classes])
        : ops.matmul(ops.reshape(inputs, [inputs.shape[0]!, -1]), weight!),
  };
}

async function bits(dataset: Dataset, model: Model, steps: number, resume?: Checkpoint) {
  const ops: EagerOperations = createOperations(createReferenceBackend());
  let saved: Checkpoint | undefined;
  const result = await train({
    ops,
    model,
    optimizer: adamw({ learningRate: 0.05 }),
    precision: f32,
    data: { train: dataset },
    seed: 4,
    steps,
    batchSize: 4,
    plugins: [
      {
        name: 'saver',
        async settle(_, run) {
          saved = await run.snapshot();
        },
      },
    ],
    ...(resume === undefined ? {} : { resume: { checkpoint: resume } }),
  });
  const weights = await readTensors(ops, result.weights);
  result.dispose();
  return { weights, checkpoint: saved! };
}

/** 5 + 6 steps, over several epochs, against 11 in one go. */
async function expectExactResume(open: () => Promise<Dataset>, model: Model) {
  const whole = await bits(await open(), model, 11);
  const half = await bits(await open(), model, 5);
  const resumed = await bits(await open(), model, 11, half.checkpoint);
  expect(half.weights).not.toEqual(whole.weights);
  expect(resumed.weights).toEqual(whole.weights);
}

describe('a resumed run ends with the bits of the uninterrupted one', () => {
  it('on a token file', async () => {
    const folder = await temporaryFolder();
    const text = 'the quick brown fox jumps over the lazy dog; '.repeat(4);
    const tokenizer = characterTokenizer(charactersOf([text]));
    await writeTokenFiles({ folder, documents: [{ name: 'fox', text }], tokenizer, validation: 0 });
    const file = await openTokenFile(`${folder}/train.bin`);
    await expectExactResume(async () => file.dataset({ length: 12 }), linear(file.vocabularySize, file.vocabularySize));
    await file.close();
  });

  it('on images with every augmentation', async () => {
    const source = imagesInMemory({
      name: 'noise',
      images: Uint8Array.from({ length: 14 * 8 * 8 * 3 }, (_, index) => Math.imul(index + 1, 0x9e3779b1) >>> 24),
      labels: Array.from({ length: 14 }, (_, index) => index % 3),
      height: 8,
      width: 8,
      channels: 3,
      classes: 3,
    });
    const augmentation = {
      crop: { scale: [0.2, 1], ratio: [0.75, 1.33] },
      flip: 0.5,
      randAugment: {},
      mixup: 0.2,
      cutmix: 1,
      labelSmoothing: 0.1,
    } as const;
    await expectExactResume(
      async () => transformImages(source, { height: 6, width: 6, augmentation }),
      linear(6 * 6 * 3, 3),
    );
  });
});
