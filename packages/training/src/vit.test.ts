import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, lmd, parameterGroups } from '@lmd/core';
import { lmdParameter, precisionPreset, vit, vitPreset } from '@lmd/models';
import { expect, it } from 'vitest';
import { type Checkpoint, imageDataset, type Json, readTensors, train } from './index.js';

/** Images of 8×8 pixels, one half bright: the upper or the lower, and some noise. */
function halves(size: number) {
  const labels = Array.from({ length: size }, (_, index) => index % 2);
  const images = Uint8Array.from({ length: size * 64 }, (_, place) => {
    const isBright = (place % 64 < 32 ? 0 : 1) === labels[Math.floor(place / 64)];
    return (isBright ? 150 : 60) + ((place * 7919) % 50);
  });
  const shape = { height: 8, width: 8, channels: 1, classes: 2 };
  return imageDataset({ name: 'halves', images, labels, ...shape, mean: 0.5, standardDeviation: 0.25 });
}

it('trains a Vision Transformer with LMD under MXFP6, freeing all it made, and resumes it to the same bits', async () => {
  const run = async (steps: number, resume?: Checkpoint) => {
    const backend = createReferenceBackend();
    const ops = createOperations(backend);
    let checkpoint: Checkpoint | undefined;
    const held: Json[] = [];
    const losses: number[] = [];
    const result = await train({
      ops,
      model: vit(
        vitPreset('tiny', { imageSize: 8, patchSize: 4, classes: 2, width: 32, depth: 1, heads: 1, mlpWidth: 32 }),
      ),
      optimizer: parameterGroups([
        { match: lmdParameter, optimizer: lmd({ learningRate: 0.01 }) },
        { match: '*', optimizer: adamw({ learningRate: 0.01 }) },
      ]),
      precision: precisionPreset('mxfp6_e3m2'),
      data: { train: halves(16) },
      seed: 3,
      steps,
      batchSize: 8,
      microBatchSize: 4,
      resume: resume && { checkpoint: resume },
      plugins: [
        {
          name: 'watch',
          step: ({ loss }) => void losses.push(loss),
          async settle(_, training) {
            held.push({ ...backend.memory() });
            checkpoint = await training.snapshot();
          },
        },
      ],
    });
    const tensors = await readTensors(ops, result.state.tensors);
    result.dispose();
    expect(new Set(held.map((memory) => JSON.stringify(memory))).size).toBe(1);
    expect(backend.memory().tensors).toBe(0);
    return { tensors, losses, checkpoint: checkpoint! };
  };
  const whole = await run(14);
  const half = await run(7);
  const resumed = await run(14, half.checkpoint);
  expect(resumed.tensors).toEqual(whole.tensors);
  expect([...half.losses, ...resumed.losses]).toEqual(whole.losses);
  expect(whole.losses.at(-1)!).toBeLessThan(whole.losses[0]!);
});
