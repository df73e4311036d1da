import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, isLmdError, lmd } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { f32, moons, tinyMlp } from '../../test/tiny-mlp.js';
import { type Plugin, type TrainOptions, train, type WarningEvent, weightAveraging } from '../index.js';
import { checkpointPath } from './checkpoint-files.js';
import {
  checkpointing,
  exportModel,
  importModel,
  latestCheckpoint,
  type MetricsLine,
  metricsFile,
  readCheckpoint,
  readManifest,
  readMetrics,
} from './index.js';

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it did not throw',
    (error) => error,
  );

/** What a process does that is given a run folder: begins or resumes the run in it, and exports the model. */
async function runIn(folder: string, options: Partial<TrainOptions> & { readonly every?: number } = {}) {
  const { every = 4, plugins = [], ...rest } = options;
  const ops = createOperations(createReferenceBackend());
  const checkpoints = join(folder, 'checkpoints');
  const result = await train({
    ops,
    model: tinyMlp(2, 8, 2, 0.1),
    optimizer: lmd({ learningRate: 0.02 }),
    precision: f32,
    data: { train: moons(40), validation: moons(16), test: moons(8) },
    seed: 1,
    steps: 20,
    batchSize: 8,
    evaluateEvery: 3,
    resume: () => latestCheckpoint(checkpoints),
    ...rest,
    plugins: [
      // First on purpose: it must save what the others remember after the step, not before.
      checkpointing({ folder: checkpoints, every }),
      metricsFile({ path: join(folder, 'metrics.jsonl'), replace: true }),
      weightAveraging({ decay: 0.9 }),
      ...plugins,
    ],
  });
  await exportModel(ops, join(folder, 'model.safetensors'), result.weights, { model: 'mlp' });
  result.dispose();
  return result;
}

const digestOf = async (folder: string) =>
  createHash('sha256')
    .update(await readFile(join(folder, 'model.safetensors')))
    .digest('hex');

/** Metrics without what depends on the clock, and on how much of the run one process saw. */
const metricsOf = async (folder: string) =>
  (await readMetrics(join(folder, 'metrics.jsonl'))).map((line) => {
    const ofTheProcess = { seconds: 0, samplesPerSecond: 0, peakMemoryBytes: 0 };
    return { ...line, ...ofTheProcess } as MetricsLine;
  });

/** Ends the run as `kill -9` does: nothing after the step's hooks runs, and nothing is written any more. */
class Killed extends Error {}
const killAfter = (last: number): Plugin => ({
  name: 'kill',
  step({ step }) {
    if (step === last) throw new Killed();
  },
});

describe('a run that is killed and resumed', () => {
  it('ends with the same model and metrics, wherever it is killed', async () => {
    const whole = await temporaryFolder();
    await runIn(whole);
    for (const kills of [[1], [4], [9, 10], [19], [3, 6, 7, 20]]) {
      const folder = await temporaryFolder();
      for (const step of kills) {
        const error = await rejection(runIn(folder, { plugins: [killAfter(step)] }));
        expect((error as Error).cause).toBeInstanceOf(Killed);
        // As a process that dies while it writes: half a line, and half a file under its temporary name.
        await writeFile(join(folder, 'metrics.jsonl'), '{"type":"step","step":999,"lo', { flag: 'a' });
        await mkdir(join(folder, 'checkpoints'), { recursive: true });
        await writeFile(join(folder, 'checkpoints', '.step-00000099.safetensors.0a1b2c3d4e5f.tmp'), 'half');
      }
      await runIn(folder);
      expect(await digestOf(folder), `killed after ${kills}`).toBe(await digestOf(whole));
      expect(await metricsOf(folder)).toEqual(await metricsOf(whole));
      expect((await readdir(join(folder, 'checkpoints'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }
  });

  it('resumes after its end to the same files', async () => {
    const folder = await temporaryFolder();
    await runIn(folder);
    const before = [await digestOf(folder), await metricsOf(folder)];
    await runIn(folder);
    expect([await digestOf(folder), await metricsOf(folder)]).toEqual(before);
  });

  it('falls back past corrupt checkpoints, leaves them, and warns of each', async () => {
    const whole = await temporaryFolder();
    await runIn(whole);
    const folder = await temporaryFolder();
    const checkpoints = join(folder, 'checkpoints');
    await rejection(runIn(folder, { plugins: [killAfter(13)] }));
    await truncate(checkpointPath(checkpoints, 12), 1000);
    const warnings: WarningEvent[] = [];
    await runIn(folder, { plugins: [{ name: 'warnings', warning: (event) => void warnings.push(event) }] });
    expect(warnings.length).toBe(1);
    expect(warnings[0]!.message).toMatch(/step-00000012\.safetensors was skipped: .* cannot be read/);
    expect(await digestOf(folder)).toBe(await digestOf(whole));
    expect(await metricsOf(folder)).toEqual(await metricsOf(whole));
  });

  it('says so when no checkpoint is whole', async () => {
    const folder = await temporaryFolder();
    await runIn(folder);
    const checkpoints = join(folder, 'checkpoints');
    for (const name of await readdir(checkpoints)) await truncate(join(checkpoints, name), 100);
    expect(isLmdError(await rejection(latestCheckpoint(checkpoints)), 'CHECKPOINT_CORRUPT')).toBe(true);
    expect(await latestCheckpoint(join(folder, 'missing'))).toBeUndefined();
  });
});

describe('checkpointing', () => {
  it('keeps the newest and the best', async () => {
    const folder = await temporaryFolder();
    // Validation labels turned round: the model that has learnt least is the best.
    const moon = moons(16);
    const turned = {
      ...moon,
      batch: (indices: Int32Array) => {
        const batch = moon.batch(indices) as { inputs: never; labels: { data: Int32Array; shape: number[] } };
        return { ...batch, labels: { ...batch.labels, data: batch.labels.data.map((label) => 1 - label) } };
      },
    };
    let best: { step: number; loss: number } | undefined;
    await runIn(folder, {
      data: { train: moons(40), validation: turned },
      plugins: [
        {
          name: 'best',
          evaluate: ({ step, loss }) => {
            if (best === undefined || loss < best.loss) best = { step, loss };
          },
        },
      ],
    });
    const manifest = (await readManifest(join(folder, 'checkpoints')))!;
    const kept = (await readdir(join(folder, 'checkpoints'))).filter((name) => name !== 'manifest.json').sort();
    expect(manifest.checkpoints.map(({ file }) => file)).toEqual(kept);
    expect(manifest).toMatchObject({ model: 'mlp-2-8-2', optimizer: 'lmd' });
    for (const { file, bytes, validation, loss } of manifest.checkpoints) {
      expect((await stat(join(folder, 'checkpoints', file))).size).toBe(bytes);
      expect(validation!.loss).toBeGreaterThan(0);
      expect(loss).toBeGreaterThan(0);
    }
    expect(manifest.checkpoints.map(({ reason }) => reason)).toEqual(['best', 'interval', 'finished']);
    const expected = [...new Set([best!.step, 16, 20])].sort((a, b) => a - b);
    expect(kept).toEqual(expected.map((step) => `step-${String(step).padStart(8, '0')}.safetensors`));
    expect(best!.step).toBeLessThan(16);
  });

  it.each(['loss', 'accuracy'] as const)('takes no NaN for the best %s', async (best) => {
    const folder = join(await temporaryFolder(), 'checkpoints');
    const model = tinyMlp();
    const reasons: string[] = [];
    const result = await train({
      backend: createReferenceBackend(),
      model: {
        ...model,
        // Logits are NaN in evaluations before step 5, and infinite at step 5, whose loss is that too.
        forward(ops, weights, x, context) {
          const logits = model.forward(ops, weights, x, context);
          if (context.training || context.key.step > 5) return logits;
          return context.key.step < 5 ? ops.multiply(logits, Number.NaN) : ops.multiply(logits, 3e38);
        },
      },
      optimizer: adamw(),
      precision: f32,
      data: { train: moons(40), validation: moons(16) },
      seed: 1,
      steps: 6,
      batchSize: 8,
      evaluateEvery: 1,
      plugins: [
        checkpointing({ folder, every: 100, best }),
        { name: 'reasons', checkpoint: ({ step, reason }) => void reasons.push(`${step} ${reason}`) },
      ],
    });
    result.dispose();
    expect(reasons).toEqual(['6 finished']);
  });

  it('saves the state in which a run is interrupted', async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const paths: string[] = [];
    const result = await runIn(folder, {
      signal: controller.signal,
      plugins: [
        {
          name: 'abort',
          step: ({ step }) => step === 7 && controller.abort(),
          checkpoint: ({ path, reason }) => void paths.push(`${path.slice(-20)} ${reason}`),
        } as Plugin,
      ],
    });
    expect(result.status).toBe('interrupted');
    expect(paths.at(-1)).toBe('00000007.safetensors interrupted');
    expect((await latestCheckpoint(join(folder, 'checkpoints')))!.checkpoint.step).toBe(7);
  });

  it('makes no step more when it is interrupted while it saves', async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const steps: number[] = [];
    const abort: Plugin = {
      name: 'abort',
      checkpoint({ step }) {
        steps.push(step);
        if (step === 8) controller.abort();
      },
    };
    const result = await runIn(folder, { signal: controller.signal, plugins: [abort] });
    expect([result.status, result.step]).toEqual(['interrupted', 8]);
    expect(steps.at(-1)).toBe(8);
  });

  it('saves the last good state when something stops being finite, and the error says where', async () => {
    const folder = await temporaryFolder();
    const model = tinyMlp();
    const running = runIn(folder, {
      model: {
        ...model,
        forward: (ops, weights, x, context) => {
          const logits = model.forward(ops, weights, x, context);
          return context.training && context.key.step >= 6 ? ops.divide(logits, 0) : logits;
        },
      },
    });
    const error = (await rejection(running)) as Error;
    const path = checkpointPath(join(folder, 'checkpoints'), 6);
    expect(isLmdError(error, 'NON_FINITE')).toBe(true);
    expect(error.message).toContain(`In step 7, loss is NaN`);
    expect(error.message).toContain(`The last good state, of step 6, is in ${path}.`);
    const { tensors } = await readCheckpoint(path);
    for (const { data } of Object.values(tensors)) expect(data.every((value) => Number.isFinite(value))).toBe(true);
  });

  it('names the plugin and the path when the disk refuses', async () => {
    const folder = await temporaryFolder();
    const obstruct: Plugin = {
      name: 'obstruct',
      step: ({ step }) =>
        step === 1 ? writeFile(join(folder, 'checkpoints'), 'a file where the folder should be') : undefined,
    };
    const error = (await rejection(runIn(folder, { plugins: [obstruct] }))) as Error;
    expect(isLmdError(error, 'PLUGIN_FAILURE')).toBe(true);
    expect(isLmdError(error.cause, 'FILE_SYSTEM')).toBe(true);
    expect(error.message).toMatch(/Plugin "checkpointing".*checkpoints.*not a folder/);
    expect(await readFile(join(folder, 'checkpoints'), 'utf8')).toBe('a file where the folder should be');
  });
});

describe('a disk that refuses a checkpoint', () => {
  it('costs the steps since the last one, which stays whole, and the run goes on from it to the same end', async () => {
    const whole = await temporaryFolder();
    await runIn(whole);
    const folder = await temporaryFolder();
    const checkpoints = join(folder, 'checkpoints');
    // A folder where the file should be: its rename fails as a write to a full disk does, when the file is half made.
    const obstacle = checkpointPath(checkpoints, 8);
    const obstruct: Plugin = {
      name: 'obstruct',
      step: async ({ step }) => {
        if (step === 7) await mkdir(join(obstacle, 'in the way'), { recursive: true });
      },
    };
    const error = (await rejection(runIn(folder, { plugins: [obstruct] }))) as Error;
    expect(isLmdError(error, 'PLUGIN_FAILURE')).toBe(true);
    expect(isLmdError(error.cause, 'FILE_SYSTEM')).toBe(true);
    expect(error.message).toContain('step-00000008.safetensors');
    await rm(obstacle, { recursive: true });
    expect((await readdir(checkpoints)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect((await latestCheckpoint(checkpoints))!.checkpoint.step).toBeGreaterThanOrEqual(4);
    await runIn(folder);
    expect(await digestOf(folder)).toBe(await digestOf(whole));
    expect(await metricsOf(folder)).toEqual(await metricsOf(whole));
  });

  it('does not read the manifest to resume: it may be missing, or anything', async () => {
    const whole = await temporaryFolder();
    await runIn(whole);
    for (const text of ['', '{"format":"other"}', 'null']) {
      const folder = await temporaryFolder();
      await rejection(runIn(folder, { plugins: [killAfter(9)] }));
      await writeFile(join(folder, 'checkpoints', 'manifest.json'), text);
      await runIn(folder);
      expect(await digestOf(folder)).toBe(await digestOf(whole));
      const manifest = await readManifest(join(folder, 'checkpoints'));
      expect(manifest!.checkpoints.at(-1)).toMatchObject({ step: 20, reason: 'finished' });
    }
    expect(await readManifest(await temporaryFolder())).toBeUndefined();
  });
});

describe('metricsFile', () => {
  it('has a line for every step, evaluation and the end', async () => {
    const folder = await temporaryFolder();
    await runIn(folder);
    const lines = await readMetrics(join(folder, 'metrics.jsonl'));
    const count = (type: string) => lines.filter((line) => line.type === type).length;
    expect([count('step'), count('evaluation'), count('end'), lines.length]).toEqual([20, 8, 1, 29]);
    expect(lines.at(-1)).toMatchObject({ type: 'end', status: 'finished', step: 20 });
  });

  it('keeps results that are NaN or infinite, and reads them as numbers', async () => {
    const path = join(await temporaryFolder(), 'metrics.jsonl');
    const model = tinyMlp();
    const result = await train({
      backend: createReferenceBackend(),
      model: {
        ...model,
        forward(ops, weights, x, context) {
          const logits = model.forward(ops, weights, x, context);
          return context.training ? logits : ops.multiply(logits, Number.NaN);
        },
      },
      optimizer: adamw(),
      precision: f32,
      data: { train: moons(8), validation: moons(8), test: moons(8) },
      seed: 0,
      steps: 1,
      batchSize: 8,
      plugins: [metricsFile({ path })],
    });
    result.dispose();
    expect(await readFile(path, 'utf8')).toContain('"loss":"NaN","accuracy":0,"perplexity":"NaN"');
    const none = { loss: Number.NaN, accuracy: 0, perplexity: Number.NaN };
    const evaluations = (await readMetrics(path)).filter(({ type }) => type === 'evaluation');
    expect(evaluations).toMatchObject([none, none]);
    // A file of an earlier version has null for NaN.
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('"NaN"', 'null'));
    expect((await readMetrics(path))[1]).toMatchObject({ loss: Number.NaN });
  });

  it('names a whole line that is none, and leaves out one that was cut', async () => {
    const path = join(await temporaryFolder(), 'metrics.jsonl');
    const line = '{"type":"step","step":1,"epoch":0,"position":0,"loss":1,"samples":8,"seconds":1}\n';
    await writeFile(path, `${line}${line.slice(0, 30)}`);
    expect(await readMetrics(path)).toHaveLength(1);
    for (const bad of [line.slice(0, 30), 'null', '3', '{"type":"other","step":1}', '{"type":"step","step":-1}']) {
      await writeFile(path, `${line}${bad}\n${line}`);
      const error = await rejection(readMetrics(path));
      expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
      expect(String(error)).toMatch(/line 2 is not a valid line/);
    }
  });

  it('refuses to write over the lines of another run, and harms none of them', async () => {
    const path = join(await temporaryFolder(), 'metrics.jsonl');
    await writeFile(path, '{"type":"step","step":1}\n');
    const options = {
      backend: createReferenceBackend(),
      model: tinyMlp(),
      optimizer: adamw(),
      precision: f32,
      data: { train: moons(8) },
      seed: 0,
      steps: 1,
      batchSize: 8,
    };
    const error = (await rejection(train({ ...options, plugins: [metricsFile({ path })] }))) as Error;
    expect(isLmdError(error.cause, 'RUN_EXISTS')).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('{"type":"step","step":1}\n');
  });
});

describe('exportModel and importModel', () => {
  it('give back the same weights', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'model.safetensors');
    const ops = createOperations(createReferenceBackend());
    const weights = tinyMlp().initialize(ops, 3);
    await exportModel(ops, path, weights, { model: 'mlp' });
    const imported = await importModel(ops, path);
    expect(imported.metadata).toEqual({ model: 'mlp' });
    for (const [name, tensor] of Object.entries(weights)) {
      expect(await ops.read(imported.weights[name]!)).toEqual(await ops.read(tensor));
    }
  });

  it('names a file that is missing or damaged, and a folder that cannot be written', async () => {
    const folder = await temporaryFolder();
    const ops = createOperations(createReferenceBackend());
    const path = join(folder, 'model.safetensors');
    expect(isLmdError(await rejection(importModel(ops, path)), 'FILE_SYSTEM')).toBe(true);
    await writeFile(path, 'not a model');
    const damaged = await rejection(importModel(ops, path));
    expect(isLmdError(damaged, 'DATA_CORRUPT')).toBe(true);
    expect(String(damaged)).toContain(path);
    const missing = join(folder, 'none', 'model.safetensors');
    const unwritable = await rejection(exportModel(ops, missing, tinyMlp().initialize(ops, 0)));
    expect(isLmdError(unwritable, 'FILE_SYSTEM')).toBe(true);
    expect(String(unwritable)).toContain(missing);
  });
});
