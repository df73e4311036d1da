import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import {
  type Backend,
  createOperations,
  type DrawKey,
  type EagerOperations,
  type Model,
  type NamedTensors,
  optimizerRules,
} from '@lmd/core';
import { openModelFile } from '@lmd/inference/node';
import { requirePosterior } from '@lmd/inference/posterior';
import { type Gpt2, precisionNames, precisionPreset, type Vit } from '@lmd/models';
import { areaUnderRoc, type Dataset, evaluateUncertainty, type UncertaintyOptions } from '@lmd/training';
import type { BackendChoice } from '../configuration/backend-schema.js';
import type { RunWeightsKind } from '../configuration/choices.js';
import { loadConfiguration } from '../configuration/load.js';
import type { OwnModelConfiguration } from '../configuration/model-schema.js';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { loadData, locateData } from '../data/index.js';
import { firstOf, type RunData } from '../data/run-data.js';
import { openBackend } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { notesOnModules } from '../modules/uses.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { type StatusLine, statusLine } from '../output/status-line.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { wrapText } from '../output/wrap.js';
import { runLayout } from '../run/layout.js';
import { configurationOf } from '../run/run.js';
import { evaluationBatchSize } from '../trial/batch-sizes.js';
import { buildModel, type Network } from '../trial/build-model.js';
import { completeModel } from '../trial/pretrained-model.js';
import { handlesOn, hasCheckpoint, openRunWeights, usualWeights } from '../trial/run-weights.js';
import { openTrainedModel } from '../trial/trained-model.js';
import { choose } from './choose.js';
import { averageOf, calibrationBins, type EvaluationRow, renderEvaluation } from './evaluation-row.js';
import { type OtherData, openOtherData } from './out-of-distribution.js';

export interface EvaluateCommandOptions {
  readonly format?: readonly string[];
  readonly weights?: RunWeightsKind;
  readonly optimizer?: string;
  readonly samples?: number;
  readonly outOfDistribution?: string;
  readonly model?: string;
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

/** `--samples` averages samples of the posterior, so it implies `--weights sample`. */
function weightsKind(options: EvaluateCommandOptions, configuration: Configuration): RunWeightsKind {
  const isAveraged = configuration.weightAveraging !== undefined;
  const kinds = ['mean', 'median', 'sample', ...(isAveraged ? (['average'] as const) : [])] as const;
  const { samples, weights = samples === undefined ? usualWeights(configuration) : 'sample' } = options;
  if (samples !== undefined && weights !== 'sample') {
    throw new UsageError('INVALID_ARGUMENT', `--samples ${samples} cannot be combined with --weights ${weights}.`, {
      subject: '--samples',
      value: samples,
      remedy: 'Omit --weights: --samples averages samples of the posterior.',
    });
  }
  return choose<RunWeightsKind>('--weights', weights, kinds);
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
  const weights = weightsKind(options, configuration);
  const { backend = configuration.backend, samples = 1, outOfDistribution } = options;
  const begun =
    options.optimizer === undefined
      ? withCheckpoints(resolve(run), names)
      : [choose('--optimizer', options.optimizer, names)];
  if (options.model !== undefined) refuseBesideModel(options);
  const chosen = options.samples === undefined ? begun : withPosterior(resolve(run), configuration, begun);
  const notes = begun
    .filter((name) => !chosen.includes(name))
    .map((name) => `--samples: ${name} has no posterior to sample from, and is not evaluated.`);
  writeNotes({ notes: [...notesOnModules(configuration), ...notes] }, terminal);
  const status = statusLine(terminal.error);
  const plan: Plan = { formats, weights, samples, backend, outOfDistribution, status };
  let results: EvaluationRow[];
  try {
    results = await evaluateAll(configuration, plan, (ops) =>
      options.model === undefined
        ? ofRun(ops, resolve(run), configuration, chosen, weights)
        : ofFile(ops, options.model, configuration),
    );
  } finally {
    status.clear();
  }
  if (options.json) {
    const where = isRun ? { runFolder: resolve(run) } : { configuration: run };
    terminal.out.write(jsonLine({ type: 'summary', ...where, results }));
    return;
  }
  const { out, colours } = terminal;
  const parts = renderEvaluation(results, colours.bold, out.columns);
  out.write(`${parts.slice(0, -1).join('\n\n')}\n\n${wrapText(parts.at(-1)!, out.columns, 0)}\n`);
}

/** The optimizers of a run with a checkpoint. All of them if none has one: opening the first then throws the error. */
function withCheckpoints(folder: string, names: readonly string[]): readonly string[] {
  const begun = names.filter((name) => hasCheckpoint(folder, name));
  return begun.length > 0 ? begun : names;
}

/**
 * The optimizers whose posterior can be sampled; a module says itself whether its optimizer has one.
 *
 * @throws LmdError `UNSUPPORTED`, as `lmd predict`, if there is none.
 */
function withPosterior(folder: string, configuration: Configuration, names: readonly string[]): readonly string[] {
  const ruleOf = (name: string) => configuration.optimizers.find((optimizer) => optimizer.name === name)!.rule;
  const sampled = names.filter((name) => {
    const rule = ruleOf(name);
    return rule === 'module' || optimizerRules[rule].hasPosterior;
  });
  if (sampled.length === 0) requirePosterior(folder, ruleOf(names[0]!));
  return sampled;
}

function configurationFor(source: string): Configuration {
  const configuration = loadConfiguration(source);
  return { ...configuration, data: locateData(configuration.data) };
}

function refuseBesideModel(options: EvaluateCommandOptions): void {
  for (const name of ['optimizer', 'weights', 'samples'] as const) {
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
  readonly samples: number;
  readonly backend: BackendChoice;
  readonly outOfDistribution: string | undefined;
  readonly status: StatusLine;
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
  plan.status.show('reading the data');
  const data = await loadData(configuration.data, configuration.dataSeed ?? configuration.seed);
  let backend: Backend | undefined;
  let other: OtherData | undefined;
  const rows: EvaluationRow[] = [];
  try {
    other =
      plan.outOfDistribution === undefined ? undefined : await openOtherData(plan.outOfDistribution, configuration);
    backend = await openBackend(plan.backend);
    const ops = createOperations(backend);
    for await (const subject of subjects(ops)) {
      for (const format of plan.formats ?? [subject.format]) {
        rows.push(await evaluateAs(format, subject, ops, configuration, plan, data, other));
      }
      subject.dispose();
    }
    return rows;
  } finally {
    await other?.close();
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
  other: OtherData | undefined,
): Promise<EvaluationRow> {
  const { optimizer, step = 0, model, architecture } = subject;
  const { seed } = configuration;
  const planned = { ...configuration, backend: plan.backend };
  const began = performance.now();
  const key = { seed, step, sample: subject.sample };
  const scored = (what: string, dataset: Dataset, rest: Partial<UncertaintyOptions> = {}) =>
    evaluateUncertainty({
      ...{ ops, model, dataset, key, calibrationBins, precision: precisionPreset(format), samples: plan.samples },
      weights: (sample) => subject.weights({ ...key, sample: key.sample + sample }),
      batchSize: evaluationBatchSize(planned, architecture, ops.backend, dataset.size),
      onProgress: (done) => plan.status.show(`${optimizer} in ${format}: ${what}`, done, dataset.size),
      ...rest,
    });
  const validation = firstOf(data.validation, configuration.evaluation.examples);
  const { fittedTemperature: temperature } = await scored('validation', validation, { fitTemperature: true });
  // NaN logits have no temperature.
  const isFitted = Number.isFinite(temperature);
  const test = await scored('test', data.test, isFitted ? { temperature: temperature! } : {});
  const averages = test.averages.map(averageOf);
  const { accuracy, loss, brier, calibrationError } = averages.at(-1)!;
  const outlying = other && (await scored(other.name, other.dataset, { ignoreLabels: true }));
  return {
    ...{ optimizer, format, weights: plan.weights, samples: plan.samples },
    ...(subject.step === undefined ? {} : { step: subject.step }),
    testAccuracy: accuracy,
    testLoss: loss,
    ...(architecture.architecture === 'gpt2' ? { testPerplexity: Math.exp(loss) } : {}),
    ...{
      brier,
      calibrationError,
      calibrationBins,
      temperature: temperature!,
      scaledLoss: test.scaledLoss ?? Number.NaN,
    },
    averages,
    ...(outlying === undefined
      ? {}
      : {
          outOfDistribution: {
            data: other!.name,
            aurocByConfidence: areaUnderRoc(outlying.confidence, test.confidence),
            aurocByEntropy: areaUnderRoc(test.entropy, outlying.entropy),
          },
        }),
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
