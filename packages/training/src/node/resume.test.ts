import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, lmdLogMedians, lmdWeightNames, optimizerFromDescription, optimizerRules } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../test/small-run.js';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { f32, moons, tinyMlp } from '../../test/tiny-mlp.js';
import {
  diagnostics,
  flipRate,
  gradientSignal,
  oscillationRate,
  type Plugin,
  permutation,
  priorBound,
  train,
  weightAveraging,
  weightGrowth,
} from '../index.js';
import { checkpointing, exportModel, latestCheckpoint, metricsFile } from './index.js';

const steps = 14;
type Rule = keyof typeof optimizerRules;

/** What a rule needs beside its defaults to move these few weights. */
const options: { readonly [rule in Rule]?: object } = {
  lmd: { samples: 2, noise: 0.1 },
  sgd: { nesterov: true },
  ivon: { effectiveSampleSize: 100 },
};

function optimizerOf(rule: Rule, clipNorm: number | undefined) {
  const own = { rule, options: { ...options[rule] } };
  return optimizerFromDescription({
    groups: optimizerRules[rule].matricesOnly
      ? [
          { match: (_, shape) => shape.length > 1, ...own },
          { match: '*', rule: 'adamw' },
        ]
      : [{ match: '*', ...own }],
    schedule: { kind: 'cosine', warmup: 3, decay: steps - 4, final: 0.1 },
    clipNorm,
  });
}

/** Trains in a folder from its newest checkpoint; gives every file and number that must be the same, to the bit. */
async function runIn(folder: string, rule: Rule, clipNorm: number | undefined, plugins: readonly Plugin[] = []) {
  const ops = createOperations(createReferenceBackend());
  const checkpoints = join(folder, 'checkpoints');
  const metrics = join(folder, 'metrics.jsonl');
  const every = 3;
  const result = await train({
    ops,
    model: tinyMlp(2, 6, 2, 0.1),
    optimizer: optimizerOf(rule, clipNorm),
    precision: f32,
    data: { train: moons(40), validation: moons(16), test: moons(24, 'test') },
    seed: 7,
    steps,
    batchSize: 8,
    evaluateEvery: 4,
    resume: () => latestCheckpoint(checkpoints),
    plugins: [
      checkpointing({ folder: checkpoints, every }),
      metricsFile({ path: metrics, replace: true }),
      weightAveraging({ decay: 0.9 }),
      weightGrowth({ every }),
      gradientSignal({ every }),
      flipRate({ every, format: formats.mxfp8_e4m3 }),
      oscillationRate({ every: 5, format: formats.mxfp8_e4m3 }),
      priorBound({ every, regularization: 0.5 }),
      diagnostics(),
      ...plugins,
    ],
  });
  const path = join(folder, 'model.safetensors');
  await exportModel(ops, path, result.weights);
  const posterior: unknown[] = [];
  for (const name of lmdWeightNames(result.state)) {
    const { logPlus, logMinus } = lmdLogMedians(ops, result.state, name);
    posterior.push([name, await ops.read(logPlus), await ops.read(logMinus)]);
  }
  const state = await Promise.all(
    Object.entries(result.state.tensors).map(async ([name, tensor]) => [name, await ops.read(tensor)]),
  );
  result.dispose();
  // Line by line as text, so that the order of keys counts and -0 is not 0; without what the clock and the process say.
  const lines = (await readFile(metrics, 'utf8')).replace(
    /"(seconds|samplesPerSecond|peakMemoryBytes)":[0-9.e+-]+/g,
    '',
  );
  return { model: await readFile(path), state, posterior, lines: lines.split('\n') };
}

class Killed extends Error {}
const killAfter = (last: number): Plugin => ({
  name: 'kill',
  step: ({ step }) => {
    if (step === last) throw new Killed();
  },
});

describe.each(Object.keys(optimizerRules) as Rule[])('%s, killed at random steps and resumed', (rule) => {
  it.each([undefined, 0.05])(
    'ends with the same model, state, posterior and metrics, clipped to %s',
    async (clipNorm) => {
      const whole = await runIn(await temporaryFolder(), rule, clipNorm);
      expect(whole.lines.length).toBeGreaterThan(steps);
      for (let seed = 0; seed < 3; seed++) {
        // One to three of the steps, ascending.
        const kills = [...permutation(steps, seed, `kills of ${rule}`, 0).slice(0, seed + 1)].map((step) => step + 1);
        const folder = await temporaryFolder();
        for (const step of kills.sort((a, b) => a - b)) {
          const error = await rejection(runIn(folder, rule, clipNorm, [killAfter(step)]));
          expect((error as Error).cause).toBeInstanceOf(Killed);
        }
        expect(await runIn(folder, rule, clipNorm), `killed after ${kills}`).toEqual(whole);
      }
    },
  );
});
