import { createCpuBackend } from '@lmd/backends/cpu';
import { type Backend, createOperations, type EagerOperations } from '@lmd/core';
import type { Pictures } from '@lmd/example-shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { continual, permuted, summaryOf } from '../index.js';

/** Four classes of 16 pixels: one of four groups is bright. */
function groups(examples: number): Pictures {
  const labels = Int32Array.from({ length: examples }, (_, i) => i % 4);
  const images = Float32Array.from({ length: examples * 16 }, (_, i) => {
    const [example, pixel] = [Math.floor(i / 16), i % 16];
    const noise = ((example * 31 + pixel * 17) % 11) / 22;
    return (Math.floor(pixel / 4) === labels[example] ? 2 : 0) + noise;
  });
  return { images, labels, pixels: 16 };
}

const options = { tasks: 2, steps: 60, batch: 16, images: 64, width: 16, share: 0.6, hebbian: 100, seed: 1 };
const report = async () => {};

let backend: Backend;
let ops: EagerOperations;
beforeAll(async () => {
  backend = await createCpuBackend({ threads: 1 });
  ops = createOperations(backend);
});
afterAll(() => backend.close?.());

describe('continual', () => {
  it('trains every optimizer with every projection, from the same seed alike', async () => {
    const data = { train: groups(128), test: groups(40) };
    const results = await continual(ops, data, options, { report });
    expect(results.map(({ optimizer, projection }) => `${optimizer} ${projection}`)).toEqual(
      ['sgd', 'adamw', 'lmd'].flatMap((name) => ['none', 'gradients', 'weights'].map((kind) => `${name} ${kind}`)),
    );
    for (const { accuracies, projection, stateBytes, optimizer } of results) {
      expect(accuracies.map((row) => row.length)).toEqual([1, 2]);
      // A quarter is chance.
      expect(accuracies[0]![0]).toBeGreaterThan(0.4);
      const plain = results.find((one) => one.optimizer === optimizer)!;
      if (projection !== 'none') expect(stateBytes).toBeGreaterThan(plain.stateBytes);
      // Before anything is protected, the projection changes nothing.
      expect(accuracies[0]).toEqual(plain.accuracies[0]);
    }
    expect(await continual(ops, data, options, { report })).toEqual(results);
    expect(ops.memory().tensors).toBe(0);
  });

  it('leaves no tensor behind when it is stopped', async () => {
    const data = { train: groups(128), test: groups(40) };
    let calls = 0;
    const stop = async () => {
      calls += 1;
      // In the Hebbian updates of the first run that has any.
      if (calls === 2 * 60 + 60 + 5) throw new Error('stopped');
    };
    await expect(continual(ops, data, options, { report: stop })).rejects.toThrow('stopped');
    expect(ops.memory().tensors).toBe(0);
  });

  it('refuses pictures of another size, and a share that leaves a layer no direction', async () => {
    const data = { train: groups(128), test: { ...groups(40), pixels: 8 } };
    await expect(continual(ops, data, options, { report })).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
    await expect(
      continual(ops, { train: groups(128), test: groups(40) }, { ...options, share: 0.01 }, { report }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/share is 0\.01: no direction of "layer1" for 2 tasks\. Use at least 0\.063/),
    });
  });
});

describe('permuted', () => {
  it('moves the pixels of every picture alike, and leaves the first task as it is', () => {
    const task = { images: Float32Array.of(1, 2, 3, 4, 5, 6), labels: Int32Array.of(0, 1), pixels: 3 };
    expect(permuted(task, 0, 0).images).toBe(task.images);
    const { images } = permuted(task, 3, 2);
    expect([...images.subarray(0, 3)].sort()).toEqual([1, 2, 3]);
    expect(Array.from(images.subarray(3), (value) => value - 3)).toEqual([...images.subarray(0, 3)]);
    expect(permuted(task, 3, 2).images).toEqual(images);
  });
});

it('averages the last row, and counts what is lost since the best', () => {
  const { averageAccuracy, forgetting } = summaryOf([[0.9], [0.95, 0.8], [0.7, 0.85, 0.9]]);
  expect(averageAccuracy).toBeCloseTo((0.7 + 0.85 + 0.9) / 3, 12);
  // 0.95 − 0.7, and no loss on the second task.
  expect(forgetting).toBeCloseTo(0.25 / 2, 12);
});
