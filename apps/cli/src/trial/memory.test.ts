import { createOperations } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { train } from '@lmd/training';
import { expect, it } from 'vitest';
import { parseConfiguration } from '../configuration/load.js';
import { loadData } from '../data/index.js';
import { openBackend } from '../engine/index.js';
import { presets } from '../presets/index.js';
import { buildModel } from './build-model.js';
import { buildOptimizer } from './build-optimizer.js';

it.each(['lmd', 'adamw'])(
  'holds the same memory after 300 steps of %s as after a few, and none at the end',
  async (name) => {
    const configuration = parseConfiguration(presets.smoke, 'smoke');
    const { data, model, seed, precision } = configuration;
    const steps = 300;
    const backend = await openBackend('tfjs-wasm');
    const before = backend.memory();
    const ops = createOperations(backend);
    const held: { tensors: number; bytes: number }[] = [];
    const resident: number[] = [];
    const network = buildModel(model, data);
    const trained = await train({
      ops,
      model: network,
      optimizer: buildOptimizer(configuration.optimizers.find((optimizer) => optimizer.name === name)!, steps, network),
      precision: precisionPreset(precision),
      data: await loadData(data, seed),
      seed,
      steps,
      batchSize: 8,
      evaluateEvery: 50,
      plugins: [
        {
          name: 'watch',
          step() {
            const { tensors, bytes } = backend.memory();
            held.push({ tensors, bytes });
            resident.push(process.memoryUsage.rss());
          },
        },
      ],
    });
    trained.dispose();
    expect(held).toHaveLength(steps);
    // Exactly: not one tensor more after 300 steps.
    expect(new Set(held.map(({ tensors, bytes }) => `${tensors} tensors, ${bytes} bytes`)).size).toBe(1);
    expect(held[0]!.bytes).toBeGreaterThan(0);
    expect(backend.memory()).toEqual(before);
    // Loosely: the process also holds garbage that is not collected yet.
    const peak = (from: number, to: number) => Math.max(...resident.slice(from, to));
    expect(peak(200, 300) - peak(50, 100)).toBeLessThan(48 * 2 ** 20);
  },
);
