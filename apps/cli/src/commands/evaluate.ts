import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import {
  type Backend,
  createOperations,
  type DrawKey,
  type EagerOperations,
  type Model,
  type NamedTensors,
} from '@lmd/core';
import { type Gpt2, precisionNames, precisionPreset, type Vit } from '@lmd/models';
import { evaluate } from '@lmd/training';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { loadConfiguration } from '../configuration/load.js';
import type { OwnModelConfiguration } from '../configuration/model-schema.js';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { loadData, locateData } from '../data/index.js';
import type { RunData } from '../data/run-data.js';
import { openBackend } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { openModelFile } from '../model-file/weights.js';
import { jsonLine } from '../output/json.js';
import { type Column, renderTable } from '../output/table.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { count, percent } from '../output/units.js';
import { runLayout } from '../run/layout.js';
import { configurationOf } from '../run/run.js';
import { evaluationBatchSize } from '../trial/batch-sizes.js';
import { buildModel, type Network } from '../trial/build-model.js';
import { completeModel } from '../trial/pretrained-model.js';
import { handlesOn, hasCheckpoint, openRunWeights, type RunWeightsKind, usualWeights } from '../trial/run-weights.js';
import { openTrainedModel } from '../trial/trained-model.js';
import { choose } from './choose.js';

export interface EvaluateCommandOptions {
  readonly format?: readonly string[];
  readonly weights?: RunWeightsKind;
  readonly optimizer?: string;
  readonly draws?: number;
  readonly model?: string;
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

export interface EvaluationRow {
  readonly optimizer: string;
  readonly format: string;
  readonly weights: RunWeightsKind;
  /** The step of the checkpoint; absent for a model file. */
  readonly step?: number;
  readonly testAccuracy: number;
  readonly testLoss: number;
  /** exp(testLoss), of a language model. */
  readonly testPerplexity?: number;
  /** Expected calibration error in 15 bins, averaged over the draws. */
  readonly calibrationError: number;
  readonly seconds: number;
}

const perplexity: Column<EvaluationRow> = {
  title: 'perplexity',
  align: 'right',
  cell: ({ testPerplexity }) => testPerplexity?.toPrecision(4) ?? '',
};

const columnsOf = (rows: readonly EvaluationRow[]): readonly Column<EvaluationRow>[] => [
  { title: 'optimizer', cell: ({ optimizer }) => optimizer },
  { title: 'format', cell: ({ format }) => format },
  { title: 'weights', cell: ({ weights }) => weights },
  { title: 'step', align: 'right', cell: ({ step }) => (step === undefined ? '' : count(step)) },
  { title: 'test accuracy', align: 'right', cell: ({ testAccuracy }) => percent(testAccuracy) },
  { title: 'test loss', align: 'right', cell: ({ testLoss }) => testLoss.toFixed(4) },
  ...(rows.some(({ testPerplexity }) => testPerplexity !== undefined) ? [perplexity] : []),
  { title: 'calibration error', align: 'right', cell: ({ calibrationError }) => percent(calibrationError) },
  { title: 'seconds', align: 'right', cell: ({ seconds }) => seconds.toFixed(1) },
];

function checkDraws(draws: number, weights: RunWeightsKind): void {
  if (draws > 1 && weights !== 'sample') {
    throw new UsageError('INVALID_ARGUMENT', `--draws ${draws} cannot be combined with --weights ${weights}.`, {
      subject: '--draws',
      value: draws,
      remedy: 'Add --weights sample.',
    });
  }
}

/**
 * `lmd evaluate`: evaluates a run's newest weights, or a model file on the run's data, in any format and with the mean,
 * median or samples of the posterior.
 */
export async function evaluateCommand(run: string, options: EvaluateCommandOptions, terminal: Terminal): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const isRun = options.model === undefined || existsSync(runLayout(resolve(run)).configuration);
  const configuration = isRun ? configurationOf(resolve(run)) : configurationFor(run);
  const names = configuration.optimizers.map(({ name }) => name);
  const formats = options.format?.includes('all') ? precisionNames : options.format;
  const isAveraged = configuration.weightAveraging !== undefined;
  const kinds = ['mean', 'median', 'sample', ...(isAveraged ? (['average'] as const) : [])] as const;
  const weights = choose<RunWeightsKind>('--weights', options.weights ?? usualWeights(configuration), kinds);
  const { backend = configuration.backend, draws = 1 } = options;
  checkDraws(draws, weights);
  const chosen =
    options.optimizer === undefined
      ? withCheckpoints(resolve(run), names)
      : [choose('--optimizer', options.optimizer, names)];
  if (options.model !== undefined) refuseBesideModel(options);
  const results = await evaluateAll(configuration, { formats, weights, draws, backend }, (ops) =>
    options.model === undefined
      ? ofRun(ops, resolve(run), configuration, chosen, weights)
      : ofFile(ops, options.model, configuration),
  );
  if (options.json) {
    const where = isRun ? { runFolder: resolve(run) } : { configuration: run };
    terminal.out.write(jsonLine({ type: 'summary', ...where, results }));
  } else
    terminal.out.write(
      `${renderTable(columnsOf(results), results, { styleTitle: terminal.colours.bold, columns: terminal.out.columns })}\n`,
    );
}

/** The optimizers of a run with a checkpoint. All of them if none has one: opening the first then throws the error. */
function withCheckpoints(folder: string, names: readonly string[]): readonly string[] {
  const begun = names.filter((name) => hasCheckpoint(folder, name));
  return begun.length > 0 ? begun : names;
}

function configurationFor(source: string): Configuration {
  const configuration = loadConfiguration(source);
  return { ...configuration, data: locateData(configuration.data) };
}

function refuseBesideModel(options: EvaluateCommandOptions): void {
  for (const name of ['optimizer', 'weights', 'draws'] as const) {
    if (options[name] === undefined) continue;
    throw new UsageError('INVALID_ARGUMENT', `--${name} and --model cannot be combined.`, {
      subject: `--${name}`,
      value: options[name],
      remedy: 'A model file contains one set of weights. Omit --model to evaluate those of the run.',
    });
  }
}

interface Plan {
  /** Default: the format that each subject was trained in. */
  readonly formats: readonly string[] | undefined;
  readonly weights: RunWeightsKind;
  readonly draws: number;
  readonly backend: BackendChoice;
}

/** One set of weights, or a posterior to sample from. */
interface Subject {
  readonly optimizer: string;
  readonly step?: number;
  /** The format that it was trained in. */
  readonly format: string;
  readonly model: Model;
  /** The whole network; `model` may be a part of it. */
  readonly architecture: Network;
  /** Index of the first draw that no update has used. */
  readonly sample: number;
  /** Owned by the caller. */
  weights(key: DrawKey): NamedTensors;
  dispose(): void;
}

type Subjects = (ops: EagerOperations) => AsyncIterable<Subject>;

async function evaluateAll(configuration: Configuration, plan: Plan, subjects: Subjects): Promise<EvaluationRow[]> {
  const data = await loadData(configuration.data, configuration.dataSeed ?? configuration.seed);
  let backend: Backend | undefined;
  const rows: EvaluationRow[] = [];
  try {
    backend = await openBackend(plan.backend);
    const ops = createOperations(backend);
    for await (const subject of subjects(ops)) {
      for (const format of plan.formats ?? [subject.format]) {
        rows.push(await evaluateAs(format, subject, ops, configuration, plan, data));
      }
      subject.dispose();
    }
    return rows;
  } finally {
    await data.close?.();
    backend?.close?.();
  }
}

async function evaluateAs(
  format: string,
  subject: Subject,
  ops: EagerOperations,
  configuration: Configuration,
  plan: Plan,
  data: RunData,
): Promise<EvaluationRow> {
  const { optimizer, step = 0, model, architecture } = subject;
  const { seed } = configuration;
  const planned = { ...configuration, backend: plan.backend };
  const batchSize = evaluationBatchSize(planned, architecture, ops.backend, data.test.size);
  const began = performance.now();
  const sums = { loss: 0, accuracy: 0, calibrationError: 0 };
  for (let draw = 0; draw < plan.draws; draw++) {
    const key = { seed, step, sample: subject.sample + draw };
    const weights = subject.weights(key);
    const { loss, accuracy, calibration } = await evaluate({
      ops,
      model,
      weights,
      dataset: data.test,
      precision: precisionPreset(format),
      batchSize,
      key,
      calibrationBins: 15,
    });
    ops.dispose(weights);
    sums.loss += loss / plan.draws;
    sums.accuracy += accuracy / plan.draws;
    sums.calibrationError += calibration!.error / plan.draws;
  }
  return {
    optimizer,
    format,
    weights: plan.weights,
    ...(subject.step === undefined ? {} : { step: subject.step }),
    testAccuracy: sums.accuracy,
    testLoss: sums.loss,
    ...(architecture.architecture === 'gpt2' ? { testPerplexity: Math.exp(sums.loss) } : {}),
    calibrationError: sums.calibrationError,
    seconds: (performance.now() - began) / 1000,
  };
}

/** The newest weights of each chosen optimizer of a run. */
async function* ofRun(
  ops: EagerOperations,
  folder: string,
  configuration: Configuration,
  chosen: readonly string[],
  kind: RunWeightsKind,
): AsyncGenerator<Subject> {
  const trained = await openTrainedModel(ops, configuration);
  try {
    for (const name of chosen) {
      const { step, samples, weights, dispose } = await openRunWeights(ops, folder, configuration, trained, name, kind);
      const described = configuration.optimizers.find((entry) => entry.name === name)!;
      const format = precisionOf(configuration, described);
      const { model, architecture } = trained;
      yield { optimizer: name, step, format, model, architecture, sample: samples, weights, dispose };
    }
  } finally {
    trained.dispose();
  }
}

/** The weights of a model file, which must fit the network of the configuration. */
async function* ofFile(ops: EagerOperations, path: string, configuration: Configuration): AsyncGenerator<Subject> {
  const file = await openModelFile(path);
  let model: Gpt2 | Vit;
  let weights: NamedTensors;
  try {
    model = buildModel(completeModel({ ...configuration, model: ownModel(configuration) }, file), configuration.data);
    weights = await file.weights(ops, model);
  } finally {
    await file.close();
  }
  yield {
    optimizer: basename(file.path),
    format: configuration.precision,
    model,
    architecture: model,
    sample: 0,
    weights: () => handlesOn(ops, weights),
    dispose: () => ops.dispose(weights),
  };
}

function ownModel({ model }: Configuration): OwnModelConfiguration {
  if (model.kind !== 'module') return model;
  throw new UsageError('INVALID_ARGUMENT', '--model needs a model of lmd, and model.kind is module.', {
    subject: '--model',
    value: model.module,
    remedy: 'Omit --model: the checkpoints of the run have the weights of its model.',
  });
}
