import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, lmd } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { f32, tinyMlp } from '../../test/tiny-mlp.js';
import * as main from '../index.js';
import { eventListener, type Json, type Plugin, readTensors, type TrainingEvent, train } from '../index.js';
import * as node from '../node/index.js';

/** A plugin of the file under test, and what it says beside events and weights. */
interface Made {
  readonly plugin: Plugin;
  said?(): unknown;
}

/** The example of the README. */
const lossSum = (): Plugin => {
  let sum = 0;
  return {
    name: 'lossSum',
    start: () => {
      sum = 0; // Reset at the start of a run.
    },
    step: ({ loss }) => {
      sum += loss;
    },
    state: () => ({ data: sum }),
    restore: ({ data }) => {
      sum = data as number;
    },
  };
};

/** Every plugin of the package, and a user's own. */
const plugins: { readonly [name: string]: (folder: string) => Made | Promise<Made> } = {
  progress: () => {
    const said: unknown[] = [];
    let clock = 0;
    const plugin = main.progress({ interval: 2, now: () => clock++, onProgress: (report) => said.push(report) });
    return { plugin, said: () => said.splice(0) };
  },
  earlyStopping: () => ({ plugin: main.earlyStopping({ metric: 'accuracy', patience: 2 }) }),
  weightAveraging: () => ({ plugin: main.weightAveraging({ decay: 0.9 }) }),
  diagnostics: () => ({ plugin: main.diagnostics() }),
  weightGrowth: () => ({ plugin: main.weightGrowth({ every: 3 }) }),
  priorBound: () => ({ plugin: main.priorBound({ every: 3, regularization: 0.5 }) }),
  flipRate: () => ({ plugin: main.flipRate({ every: 3, format: formats.mxfp8_e4m3 }) }),
  oscillationRate: () => ({ plugin: main.oscillationRate({ every: 3, format: formats.mxfp8_e4m3 }) }),
  gradientSignal: () => ({ plugin: main.gradientSignal({ every: 3 }) }),
  eventListener: () => {
    const said: string[] = [];
    const plugin = eventListener(({ type }) => void said.push(type), 'ear');
    return { plugin, said: () => said.splice(0) };
  },
  checkpointing: (folder) => ({ plugin: node.checkpointing({ folder, every: 6, best: 'accuracy' }) }),
  metricsFile: (folder) => {
    const path = join(folder, 'metrics.jsonl');
    return {
      plugin: node.metricsFile({ path, replace: true }),
      said: async () => (await node.readMetrics(path)).map(({ type, step }) => [type, step]),
    };
  },
  metricsCsv: (folder) => {
    const path = join(folder, 'metrics.csv');
    const untimedRows = async () =>
      (await readFile(path, 'utf8')).split('\n').map((row) => row.split(',').filter((_, column) => column !== 2));
    return { plugin: node.metricsCsv({ path, replace: true }), said: untimedRows };
  },
  tensorboardLog: (folder) => ({ plugin: node.tensorboardLog({ folder, replace: true }) }),
  "a user's own": () => ({ plugin: lossSum() }),
};

/** Four clouds: learnt at once or slowly, by the seed, so that runs of two seeds stop at different steps. */
const clouds = main.arrayDataset({
  name: 'clouds',
  inputs: Float32Array.from(
    { length: 96 },
    (_, index) => [-2, 2][(index >> (index % 2 === 0 ? 1 : 2)) % 2]! + Math.sin(index),
  ),
  inputShape: [2],
  labels: Array.from({ length: 48 }, (_, index) => index % 2),
  classes: 2,
});

/** All that a run gives but times, and what checkpoints would hold of the plugin at each step. */
async function runOf({ plugin, said }: Made, seed: number): Promise<unknown> {
  const ops = createOperations(createReferenceBackend());
  const events: unknown[] = [];
  const states: Json[] = [];
  const record: Plugin = {
    ...eventListener((event: TrainingEvent) => void events.push({ ...event, ...untimed }), 'record'),
    async settle(_, run) {
      const saved = (await run.snapshot()).plugins[plugin.name];
      states.push(JSON.parse(JSON.stringify(saved ?? null)));
    },
  };
  const result = await train({
    ops,
    model: tinyMlp(2, 6, 2),
    optimizer: lmd({ learningRate: 0.05, noise: 0.05 }),
    precision: f32,
    data: { train: clouds, validation: clouds },
    seed,
    steps: 30,
    batchSize: 12,
    evaluateEvery: 5,
    plugins: [plugin, record],
  });
  const weights = await readTensors(ops, result.weights);
  result.dispose();
  return { events, states, weights, step: result.step, said: await said?.() };
}

const untimed = { seconds: 0, samplesPerSecond: 0, peakMemoryBytes: 0 };

describe('the same plugin in a second run', () => {
  it.each(Object.keys(plugins))('%s behaves as a fresh one', async (name) => {
    const make = async () => plugins[name]!(await temporaryFolder());
    const [first, fresh] = [await make(), await runOf(await make(), 2)];
    await runOf(first, 1);
    // The folder of a checkpoint's path is another.
    const comparable = (run: unknown) => JSON.stringify(run).replace(/[^"]*(?=step-\d+\.safetensors)/g, '');
    expect(comparable(await runOf(first, 2))).toBe(comparable(fresh));
  });
});
