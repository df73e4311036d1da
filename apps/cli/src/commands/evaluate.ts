import { resolve } from 'node:path';
import { createOperations, type EagerOperations, LmdError, type WeightsKind } from '@lmd/core';
import { precisionNames, precisionPreset } from '@lmd/models';
import { evaluate } from '@lmd/training';
import { latestCheckpoint } from '@lmd/training/node';
import type { Configuration } from '../configuration/schema.js';
import { loadData } from '../data/index.js';
import { openBackend } from '../engine/index.js';
import { type BackendName, backendNames } from '../engine/names.js';
import { UsageError } from '../errors.js';
import { type Column, renderTable } from '../output/table.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { count, percent } from '../output/units.js';
import { runLayout } from '../run/layout.js';
import { configurationOf } from '../run/run.js';
import { buildModel } from '../trial/build-model.js';
import { buildOptimizer } from '../trial/build-optimizer.js';
import { choose } from './choose.js';
import { numberOption } from './number-option.js';

export interface EvaluateCommandOptions {
  readonly format?: readonly string[];
  readonly weights?: string;
  readonly optimizer?: string;
  readonly draws?: string;
  readonly backend?: string;
  readonly json?: boolean;
}

export interface EvaluationRow {
  readonly optimizer: string;
  readonly format: string;
  readonly weights: WeightsKind;
  /** The step of the checkpoint. */
  readonly step: number;
  readonly testAccuracy: number;
  readonly testLoss: number;
  /** exp(testLoss). */
  readonly testPerplexity: number;
  /** Expected calibration error in 15 bins; of several draws, their mean. */
  readonly calibrationError: number;
  readonly seconds: number;
}

const columns: readonly Column<EvaluationRow>[] = [
  { title: 'optimizer', cell: ({ optimizer }) => optimizer },
  { title: 'format', cell: ({ format }) => format },
  { title: 'weights', cell: ({ weights }) => weights },
  { title: 'step', align: 'right', cell: ({ step }) => count(step) },
  { title: 'test accuracy', align: 'right', cell: ({ testAccuracy }) => percent(testAccuracy) },
  { title: 'test loss', align: 'right', cell: ({ testLoss }) => testLoss.toFixed(4) },
  { title: 'perplexity', align: 'right', cell: ({ testPerplexity }) => testPerplexity.toPrecision(4) },
  { title: 'calibration error', align: 'right', cell: ({ calibrationError }) => percent(calibrationError) },
  { title: 'seconds', align: 'right', cell: ({ seconds }) => seconds.toFixed(1) },
];

function drawCount(text: string, weights: WeightsKind): number {
  const draws = numberOption('--draws', text, { least: 1, most: 1000, whole: true });
  if (draws > 1 && weights !== 'sample') {
    throw new UsageError('INVALID_ARGUMENT', `--draws ${draws} has no meaning with --weights ${weights}.`, {
      subject: '--draws',
      value: draws,
      remedy: 'Add --weights sample.',
    });
  }
  return draws;
}

/** `lmd evaluate`: the test accuracy of a run's newest weights under another format, or as another point of the posterior. */
export async function evaluateCommand(run: string, options: EvaluateCommandOptions, terminal: Terminal): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const folder = resolve(run);
  const configuration = configurationOf(folder);
  const names = configuration.optimizers.map(({ name }) => name);
  const asked = options.format ?? [configuration.precision];
  const formats = asked.includes('all')
    ? precisionNames
    : asked.map((name) => choose('--format', name, precisionNames));
  const weights = choose('--weights', options.weights ?? configuration.evaluation.weights, [
    'mean',
    'median',
    'sample',
  ]);
  const backend = choose('--backend', options.backend ?? configuration.backend, backendNames);
  const draws = drawCount(options.draws ?? '1', weights);
  const chosen = options.optimizer === undefined ? names : [choose('--optimizer', options.optimizer, names)];
  const results = await evaluateRun(folder, configuration, { chosen, formats, weights, draws, backend });
  if (options.json) terminal.out.write(`${JSON.stringify({ type: 'summary', runFolder: folder, results })}\n`);
  else terminal.out.write(`${renderTable(columns, results, terminal.colours.bold)}\n`);
}

interface Plan {
  readonly chosen: readonly string[];
  readonly formats: readonly string[];
  readonly weights: WeightsKind;
  readonly draws: number;
  readonly backend: BackendName;
}

async function evaluateRun(folder: string, configuration: Configuration, plan: Plan): Promise<EvaluationRow[]> {
  const { seed, steps, evaluation } = configuration;
  const model = buildModel(configuration.model, configuration.data);
  const data = await loadData(configuration.data, seed);
  const backend = await openBackend(plan.backend);
  const ops = createOperations(backend);
  const rows: EvaluationRow[] = [];
  try {
    for (const name of plan.chosen) {
      const optimizer = buildOptimizer(configuration.optimizers.find((entry) => entry.name === name)!, steps);
      const { state, step } = await newestState(ops, folder, name);
      for (const format of plan.formats) {
        const began = performance.now();
        const sums = { loss: 0, accuracy: 0, calibrationError: 0 };
        for (let draw = 0; draw < plan.draws; draw++) {
          // Samples beyond those of training, so that evaluation sees noise that no update has seen.
          const key = { seed, step, sample: optimizer.samples + draw };
          const weights = optimizer.weights(ops, state, plan.weights, key);
          const { loss, accuracy, calibration } = await evaluate({
            ops,
            model,
            weights,
            dataset: data.test,
            precision: precisionPreset(format),
            batchSize: evaluation.batchSize,
            key,
            calibrationBins: 15,
          });
          ops.dispose(weights);
          sums.loss += loss / plan.draws;
          sums.accuracy += accuracy / plan.draws;
          sums.calibrationError += calibration!.error / plan.draws;
        }
        rows.push({
          optimizer: name,
          format,
          weights: plan.weights,
          step,
          testAccuracy: sums.accuracy,
          testLoss: sums.loss,
          testPerplexity: Math.exp(sums.loss),
          calibrationError: sums.calibrationError,
          seconds: (performance.now() - began) / 1000,
        });
      }
      ops.dispose(state.tensors);
    }
    return rows;
  } finally {
    await data.close?.();
    backend.close?.();
  }
}

/** The optimizer state of the newest checkpoint. */
async function newestState(ops: EagerOperations, folder: string, name: string) {
  const loaded = await latestCheckpoint(runLayout(folder).trial(name).checkpoints);
  if (loaded === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `${name} has no checkpoint in ${folder} yet.`, {
      subject: name,
      remedy: 'Wait for its first one, or continue the run with lmd train --resume.',
    });
  }
  const { step, optimizerStep, tensors } = loaded.checkpoint;
  const uploaded = Object.entries(tensors).map(
    ([key, { data, shape, dtype }]) => [key, ops.keep(ops.fromData(data, shape, dtype))] as const,
  );
  return { step, state: { step: optimizerStep, tensors: Object.fromEntries(uploaded) } };
}
