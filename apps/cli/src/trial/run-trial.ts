import { mkdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createOperations, type EagerOperations, lmdWeightNames, sizeOf } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { writeFileAtomic } from '@lmd/safetensors/node';
import {
  type Dataset,
  earlyStopping,
  eventListener,
  type Json,
  subset,
  type TrainingEvent,
  type TrainResult,
  toJson,
  train,
  weightAveraging,
} from '@lmd/training';
import { checkpointing, exportModel, latestCheckpoint, metricsFile, withFileErrors } from '@lmd/training/node';
import { precisionOf } from '../configuration/schema.js';
import { describeData, geometryOf, loadData } from '../data/index.js';
import { unusedFilesMessage } from '../data/run-data.js';
import { tokenDescription } from '../data/tokens.js';
import { openBackend } from '../engine/index.js';
import type { TrialEvent } from '../run/events.js';
import { trialLayout } from '../run/layout.js';
import { buildOptimizer } from './build-optimizer.js';
import { diagnosticPlugins } from './diagnostics.js';
import { lockPatiently } from './lock.js';
import { peakMemory } from './peak-memory.js';
import { summarizePosterior } from './posterior.js';
import type { TrialHost, TrialRequest } from './request.js';
import type { TrialSummary } from './summary.js';
import { openTrainedModel, type TrainedModel } from './trained-model.js';

/** Events that are for others to see; the rest is between the loop and its plugins. */
function isShown(event: TrainingEvent): event is TrialEvent {
  return event.type !== 'settle' && event.type !== 'report' && event.type !== 'failure';
}

/**
 * The same data set, with a turn of the event loop to each batch: else Ctrl-C and a parent's end would go unnoticed for as long as an
 * engine that computes in this thread keeps it busy. The batch begins first, so that what other threads do for it is under way
 * while a step is computed.
 */
function breathe(dataset: Dataset): Dataset {
  return {
    ...dataset,
    async batch(indices, context) {
      const batch = (async () => dataset.batch(indices, context))();
      batch.catch(() => undefined);
      await nextTurn();
      return batch;
    },
  };
}

/** The first examples of a data set, or all of it. */
function firstOf(dataset: Dataset, examples: number | undefined): Dataset {
  if (examples === undefined || examples >= dataset.size) return dataset;
  const indices = Int32Array.from({ length: examples }, (_, index) => index);
  return subset(dataset, indices, `${dataset.name}/first-${examples}`);
}

/** Trains one rule in this process, from its newest checkpoint if it has one, and writes its results. */
export const runTrial: TrialHost = async (request, emit, signal) => {
  const layout = trialLayout(request.folder);
  await makeFolder(layout.folder);
  const lock = await lockPatiently(layout.folder);
  try {
    return await trainAndSave(request, emit, signal);
  } finally {
    await lock.release();
  }
};

/** Its parent, the run's folder, is there: one that was removed meanwhile is not to come back without its configuration. */
async function makeFolder(folder: string): Promise<void> {
  await withFileErrors('make', folder, () =>
    mkdir(folder).catch((error) => (error.code === 'EEXIST' ? undefined : Promise.reject(error))),
  );
}

const trainAndSave: TrialHost = async (request, emit, signal) => {
  const { configuration, index, folder } = request;
  const { seed, steps, batchSize, data: dataConfiguration, evaluation, checkpoints } = configuration;
  const optimizer = configuration.optimizers[index]!;
  const precision = precisionOf(configuration, optimizer);
  const layout = trialLayout(folder);
  const data = await loadData(dataConfiguration, seed);
  const geometry = geometryOf(dataConfiguration);
  if (data.skipped !== undefined && data.skipped.length > 0) {
    const { length } = data.skipped;
    const problem =
      length === 1 ? '1 image does not decode and is left out' : `${length} images do not decode and are left out`;
    const message = `${problem}: ${data.skipped.join('; ')}`;
    emit({ type: 'warning', step: 0, message });
  }
  // Once a run: every optimizer has the same data.
  if (index === 0 && data.unused !== undefined && data.unused.length > 0) {
    emit({ type: 'warning', step: 0, message: unusedFilesMessage(data.unused) });
  }
  const breathing = {
    train: breathe(data.train),
    validation: breathe(firstOf(data.validation, evaluation.examples)),
    test: breathe(data.test),
  };
  const backend = await openBackend(configuration.backend);
  const ops = createOperations(backend);
  const memory = peakMemory();
  let starting: TrainedModel | undefined;
  try {
    starting = await openTrainedModel(ops, configuration);
    const { model } = starting;
    const trained = await train({
      ops,
      model,
      optimizer: buildOptimizer(optimizer, steps, model),
      precision: precisionPreset(precision),
      data: breathing,
      seed,
      steps,
      batchSize,
      microBatchSize: configuration.microBatchSize ?? batchSize,
      updateInPlace: configuration.updateInPlace,
      evaluateEvery: evaluation.every,
      evaluationBatchSize: evaluation.batchSize,
      evaluationWeights: evaluation.weights,
      plugins: [
        eventListener((event) => {
          if (isShown(event)) emit(event);
        }, 'command'),
        metricsFile({ path: layout.metrics, replace: true }),
        memory.plugin,
        ...diagnosticPlugins(configuration, optimizer),
        ...(configuration.weightAveraging === undefined ? [] : [weightAveraging(configuration.weightAveraging)]),
        ...(configuration.earlyStopping === undefined ? [] : [earlyStopping(configuration.earlyStopping)]),
        checkpointing({ folder: layout.checkpoints, every: checkpoints.every, keep: checkpoints.keep }),
      ],
      resume: () => latestCheckpoint(layout.checkpoints),
      configuration: identityOf(request, starting.base),
      signal,
    });
    try {
      if (trained.status === 'interrupted') return { status: 'interrupted', step: trained.step };
      await saveModel(ops, request, trained, starting);
      const summary: TrialSummary = {
        result: {
          optimizer: optimizer.name,
          format: precision,
          testAccuracy: trained.test!.accuracy,
          testLoss: trained.test!.loss,
          seconds: trained.seconds,
          // A run that was resumed after its last step has no speed of its own.
          imagesPerSecond: trained.samplesPerSecond || (steps * batchSize) / trained.seconds,
          peakMemoryBytes: memory.bytes(),
          ...(geometry.kind === 'tokens' ? languageResults(trained, geometry.length) : {}),
        },
        steps,
        device: backend.device,
        model: model.name,
        parameters: Object.values(model.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
        data: describeData(dataConfiguration, data),
      };
      await writeFileAtomic(layout.summary, `${toJson(summary, 2)}\n`);
      return { status: 'finished', result: summary.result };
    } finally {
      trained.dispose();
    }
  } finally {
    starting?.dispose();
    await data.close?.();
    backend.close?.();
  }
};

/** What is said of a language model beside. */
function languageResults({ test, samplesPerSecond }: TrainResult, length: number) {
  return { testPerplexity: test!.perplexity, tokensPerSecond: samplesPerSecond * length };
}

/** What must be equal when the rule is resumed. Where checkpoints go and how often is not part of it. */
function identityOf({ configuration, index }: TrialRequest, base: string | undefined): Json {
  const { model, fineTuning, data, evaluation, backend, weightAveraging, earlyStopping } = configuration;
  const { folder: _, ...examples } = { folder: undefined, ...data };
  const optimizer = configuration.optimizers[index];
  const identity = {
    backend,
    model,
    fineTuning,
    base,
    data: examples,
    evaluation,
    weightAveraging,
    earlyStopping,
    optimizer,
  };
  return JSON.parse(JSON.stringify(identity)) as Json;
}

async function saveModel(
  ops: EagerOperations,
  request: TrialRequest,
  trained: TrainResult,
  { architecture, merge }: TrainedModel,
): Promise<void> {
  const { configuration, index, folder } = request;
  const { name, seed, steps, evaluation } = configuration;
  const optimizer = configuration.optimizers[index]!;
  const layout = trialLayout(folder);
  const weights = merge(ops, trained.weights);
  // Nothing here may differ between two runs of one configuration: no date, no time, no path.
  await exportModel(ops, layout.model, weights, {
    format: 'lmd-model-v1',
    name,
    optimizer: optimizer.name,
    rule: optimizer.rule,
    weights: evaluation.weights,
    precision: precisionOf(configuration, optimizer),
    seed: String(seed),
    steps: String(steps),
    model: JSON.stringify({ ...configuration.model, weights: undefined }),
    architecture: architecture.architecture,
    config: JSON.stringify(architecture.config),
    ...(configuration.data.kind === 'tokens'
      ? { tokenizer: JSON.stringify(tokenDescription(configuration.data.folder).tokenizer) }
      : {}),
  });
  ops.dispose(weights);
  if (optimizer.rule === 'lmd' && lmdWeightNames(trained.state).length > 0) {
    const posterior = await summarizePosterior(ops, trained.state, optimizer);
    await writeFileAtomic(layout.posterior, `${toJson(posterior)}\n`);
  }
}
