import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of objects and buffers that something refers to. */
function aliveBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it('sees what is forgotten', () => {
  const before = aliveBytes();
  const forgotten = Array.from({ length: 200 }, () => new Float32Array(8192));
  expect(aliveBytes() - before).toBeGreaterThan(4 * 2 ** 20);
  expect(forgotten).toHaveLength(200);
});

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
    const alive: number[] = [];
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
          step({ step }) {
            const { tensors, bytes } = backend.memory();
            held.push({ tensors, bytes });
            if (step % 100 === 0) alive.push(aliveBytes());
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
    // Of JavaScript's own memory, what is alive once garbage is collected: no load on the machine changes that.
    // Compiled code and the like grow by about a megabyte; one forgotten copy of the weights a step would be ten.
    expect(alive).toHaveLength(3);
    expect(alive[2]! - alive[0]!).toBeLessThan(4 * 2 ** 20);
  },
);
