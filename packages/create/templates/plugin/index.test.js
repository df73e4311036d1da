// @ts-check
import assert from 'node:assert';
import { it } from 'node:test';
import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw } from '@lmd/core';
import { arrayDataset, train } from '@lmd/training';
import { create } from './index.js';

/** Two classes of points, which a linear model separates. */
const dataset = arrayDataset({
  name: 'points',
  inputs: Float32Array.from({ length: 64 }, (_, i) => (i % 4 < 2 ? 1 : -1) * (1 + (i % 7) / 10)),
  inputShape: [2],
  labels: Int32Array.from({ length: 32 }, (_, i) => i % 2),
  classes: 2,
});

/** @type {import('@lmd/core').Model} */
const model = {
  name: 'linear',
  parameters: { weight: { shape: [2, 2] } },
  initialize: (ops, seed) => ({ weight: ops.randomNormal([2, 2], { seed, stream: 0, step: 0, sample: 0 }) }),
  forward: (ops, { weight }, inputs) => {
    if (weight === undefined) throw new Error('The weights have no "weight".');
    return ops.matmul(inputs, weight);
  },
};

/** @param {import('@lmd/training').Plugin} plugin */
const run = (plugin) =>
  train({
    backend: createReferenceBackend(),
    model,
    optimizer: adamw({ learningRate: 0.05 }),
    precision: {
      forward: { weights: 'f32', activations: 'f32' },
      backward: { weights: 'f32', activations: 'f32', gradients: 'f32' },
    },
    data: { train: dataset },
    seed: 1,
    steps: 25,
    batchSize: 8,
    plugins: [plugin],
  });

it('logs the loss of every ten steps, which falls', async () => {
  /** @type {string[]} */
  const lines = [];
  await run(create({ every: 10 }, { write: (line) => lines.push(line) }));
  assert.deepStrictEqual(
    lines.map((line) => line.split(':')[0]),
    ['step 10', 'step 20'],
  );
  const [first = Number.NaN, second = Number.NaN] = lines.map((line) => Number(line.split('loss ')[1]));
  assert.ok(second < first, lines.join('\n'));
});

it('begins each run anew', async () => {
  /** @type {string[]} */
  const lines = [];
  const plugin = create({ every: 20 }, { write: (line) => lines.push(line) });
  await run(plugin);
  await run(plugin);
  assert.strictEqual(lines.length, 2);
});

it('goes on after a restart with what it had', () => {
  /** @type {string[]} */
  const lines = [];
  const before = create({ every: 2 });
  const after = create({ every: 2 }, { write: (line) => lines.push(line) });
  const run = /** @type {import('@lmd/training').TrainingRun} */ ({});
  const step = (/** @type {number} */ number, /** @type {number} */ loss) =>
    /** @type {import('@lmd/training').StepEvent} */ ({ type: 'step', step: number, loss });
  before.step?.(step(1, 1), run);
  after.restore?.(before.state?.() ?? {}, run);
  after.step?.(step(2, 3), run);
  assert.deepStrictEqual(lines, ['step 2: loss 2.0000']);
});

it('refuses options by name', () => {
  assert.throws(() => create({ every: 0 }), /every/);
});
