import { mkdir } from 'node:fs/promises';
import { isLmdError, LmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import {
  type Dataset,
  earlyStopping,
  eventListener,
  type Plugin,
  type TrainingEvent,
  type TrainResult,
  toJson,
  train,
  weightAveraging,
} from '@lmd/training';
import {
  checkpointing,
  latestCheckpoint,
  metricsCsv,
  metricsFile,
  tensorboardLog,
  withFileErrors,
} from '@lmd/training/node';
import { type OpenRank, openRank } from '../cluster/rank.js';
import { trainingPrecision } from '../configuration/schema.js';
import { geometryOf } from '../data/index.js';
import { firstOf, type RunData, unusedFilesMessage } from '../data/run-data.js';
import { createModulePlugins } from '../modules/create.js';
import { jsonLine } from '../output/json.js';
import type { ProgressEvent, TrialEvent } from '../run/events.js';
import { trialLayout } from '../run/layout.js';
import { requireRunFolder, runFolderOf } from '../run/run-folder.js';
import { checkTrainingBatch, evaluationBatchSize } from './batch-sizes.js';
import { breathe } from './breathe.js';
import { buildOptimizer } from './build-optimizer.js';
import { withCompleteIdentity } from './complete-identity.js';
import { diagnosticPlugins, withDiagnosticsOf } from './diagnostics.js';
import { trialIdentity } from './identity.js';
import { lockPatiently } from './lock.js';
import { type OpenTrial, withOpenTrial } from './open-trial.js';
import { type PeakMemory, peakMemory } from './peak-memory.js';
import { predictionsOf } from './predictions.js';
import type { TrialHost, TrialOutcome, TrialRequest } from './request.js';
import { saveModel } from './save-results.js';
import { summarizeTrial } from './summarize-trial.js';

/** Events that are forwarded. The others are internal to the training loop and its plugins. */
function isShown(event: TrainingEvent): event is Exclude<TrialEvent, ProgressEvent> {
  return event.type !== 'settle' && event.type !== 'report' && event.type !== 'failure';
}

/** Trains one optimizer in this process, from its newest checkpoint if it has one, and writes its results. */
export const runTrial: TrialHost = async (request, emit, signal) => {
  requireRunFolder(runFolderOf(request.folder));
  const layout = trialLayout(request.folder);
  await makeFolder(layout.folder);
  const lock = await lockPatiently(layout.folder);
  try {
    return await trainAndSave(request, emit, signal);
  } catch (error) {
    throw withoutPlugin(error);
  } finally {
    await lock.release();
  }
};

/**
 * Creates one folder, not its parents: a run folder that was removed must not be recreated without its configuration.
 */
async function makeFolder(folder: string): Promise<void> {
  await withFileErrors('make', folder, () =>
    mkdir(folder).catch((error) => (error.code === 'EEXIST' ? undefined : Promise.reject(error))),
  );
}

type Emit = (event: TrialEvent) => void;

async function trainAndSave(request: TrialRequest, emit: Emit, signal: AbortSignal): Promise<TrialOutcome> {
  const onStage = (what: string) => emit({ type: 'progress', what });
  const outcome = await withOpenTrial({ ...request, onStage }, signal, async (open): Promise<TrialOutcome> => {
    const { ops, data, starting } = open;
    warnOfFiles(request, data, emit);
    const memory = peakMemory();
    const rank = request.rank === undefined ? undefined : await openRank(request.configuration, request.rank, signal);
    const trained = await trainOn(open, request, rank, memory, emit, signal).finally(() => rank?.close());
    try {
      if (trained.status === 'interrupted') return { status: 'interrupted', step: trained.step };
      if (isFollower(request)) return { status: 'followed' };
      requireRunFolder(runFolderOf(request.folder));
      await saveModel(ops, request, trained, starting);
      const summary = await summarizeTrial(ops, request, starting, data, trained, memory);
      const predictions =
        request.report === false ? undefined : await predictionsOf(ops, request, starting, data, trained);
      const layout = trialLayout(request.folder);
      if (predictions !== undefined) await writeFileAtomic(layout.predictions, jsonLine(predictions));
      await writeFileAtomic(layout.summary, `${toJson(summary, 2)}\n`);
      return { status: 'finished', result: summary.result };
    } finally {
      trained.dispose();
    }
  });
  return outcome ?? { status: 'interrupted' };
}

/** Whether this is one of several workers, and not the first, which evaluates and writes results. */
const isFollower = ({ rank }: TrialRequest): boolean => rank !== undefined && rank.rank > 0;

function warnOfFiles({ index, configuration }: TrialRequest, { skipped = [], unused = [] }: RunData, emit: Emit): void {
  // Once per run: every optimizer has the same data.
  if (index > 0) return;
  if (unused.length > 0) {
    const message = unusedFilesMessage(unused, geometryOf(configuration.data).kind);
    emit({ type: 'warning', step: 0, message });
  }
  if (skipped.length === 0) return;
  const problem =
    skipped.length === 1
      ? '1 image cannot be decoded and is skipped'
      : `${skipped.length} images cannot be decoded and are skipped`;
  emit({ type: 'warning', step: 0, message: `${problem}: ${skipped.join('; ')}` });
}

async function trainOn(
  { ops, data, starting: { model, architecture, base } }: OpenTrial,
  request: TrialRequest,
  rank: OpenRank | undefined,
  memory: PeakMemory,
  emit: Emit,
  signal: AbortSignal,
): Promise<TrainResult> {
  const { configuration, index, folder } = request;
  const { seed, steps, batchSize, evaluation, checkpoints } = configuration;
  const optimizer = configuration.optimizers[index]!;
  const layout = trialLayout(folder);
  checkTrainingBatch(configuration, architecture, ops.backend, data.train.size);
  const validation = firstOf(data.validation, evaluation.examples);
  const evaluated = Math.max(validation.size, evaluation.test ? data.test.size : 0);
  const follows = isFollower(request);
  const diagnostics = follows ? [] : diagnosticPlugins(configuration, optimizer, architecture);
  const ownPlugins = await createModulePlugins(configuration.plugins ?? [], { folder });
  const progressOf =
    (what: string, { size: total }: Dataset) =>
    (done: number) =>
      emit({ type: 'progress', what: `${optimizer.name}  ${what}`, done, total });
  return await train({
    ops,
    model,
    optimizer: buildOptimizer(optimizer, steps, model),
    precision: trainingPrecision(configuration, optimizer),
    data: {
      train: breathe(data.train),
      // What stops early must see the same on all workers.
      ...(follows && configuration.earlyStopping === undefined
        ? {}
        : { validation: breathe(validation, progressOf('validation', validation)) }),
      ...(evaluation.test && !follows ? { test: breathe(data.test, progressOf('test', data.test)) } : {}),
    },
    ...(rank === undefined ? {} : { exchange: rank.exchange }),
    seed,
    steps,
    batchSize,
    microBatchSize: configuration.microBatchSize ?? batchSize / (configuration.distributed?.workers ?? 1),
    updateInPlace: configuration.updateInPlace,
    evaluateEvery: evaluation.every,
    evaluationBatchSize: evaluationBatchSize(configuration, architecture, ops.backend, evaluated),
    evaluationWeights: evaluation.weights,
    plugins: [
      runFolderWatch(folder),
      eventListener((event) => {
        if (isShown(event)) emit(event);
      }, 'command'),
      ...(follows ? [] : [metricsFile({ path: layout.metrics, replace: true }), ...logs(configuration, layout)]),
      memory.plugin,
      ...diagnostics,
      ...(configuration.weightAveraging === undefined ? [] : [weightAveraging(configuration.weightAveraging)]),
      ...(configuration.earlyStopping === undefined ? [] : [earlyStopping(configuration.earlyStopping)]),
      ...ownPlugins,
      checkpointing({ folder: layout.checkpoints, every: checkpoints.every, keep: checkpoints.keep }),
      ...(rank === undefined ? [] : [rank.plugin]),
    ],
    resume: async () => {
      const loaded = rank === undefined ? await latestCheckpoint(layout.checkpoints) : await rank.resume();
      return withDiagnosticsOf(withCompleteIdentity(loaded), diagnostics);
    },
    configuration: trialIdentity(configuration, index, data, base),
    signal,
  });
}

/** The configured logs beside `metrics.jsonl`. */
function logs({ logging }: TrialRequest['configuration'], layout: ReturnType<typeof trialLayout>): Plugin[] {
  return [
    ...(logging.includes('csv') ? [metricsCsv({ path: layout.metricsCsv, replace: true })] : []),
    ...(logging.includes('tensorboard') ? [tensorboardLog({ folder: layout.folder, replace: true })] : []),
  ];
}

/** Stops a run whose folder was removed, before a checkpoint recreates the folder without its configuration. */
function runFolderWatch(trialFolder: string): Plugin {
  return { name: 'runFolder', settle: () => requireRunFolder(runFolderOf(trialFolder)) };
}

/**
 * Makes errors actionable: removes the wrapper of the plugin that detected a removed folder, and names the data that
 * changed.
 */
function withoutPlugin(error: unknown): unknown {
  if (!isLmdError(error)) return error;
  if (error.code === 'PLUGIN_FAILURE' && error.subject === 'runFolder') return error.cause;
  const contents = /^configuration\.contents\.(\w+)$/.exec(error.subject ?? '')?.[1];
  if (error.code !== 'CHECKPOINT_MISMATCH' || contents === undefined) return error;
  return new LmdError('CHECKPOINT_MISMATCH', `The ${contents} data has changed since the run started.`, {
    subject: 'data',
    value: contents,
    remedy: 'Restore the files, or start a new run on the changed data.',
    cause: error,
  });
}
