import { mkdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createOperations, type EagerOperations, sizeOf } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { type Dataset, eventListener, type Json, type TrainingEvent, type TrainResult, train } from '@lmd/training';
import { checkpointing, exportModel, latestCheckpoint, metricsFile } from '@lmd/training/node';
import { describeData, loadData } from '../data/index.js';
import { openBackend } from '../engine/index.js';
import type { TrialEvent } from '../run/events.js';
import { trialLayout } from '../run/layout.js';
import { buildModel } from './build-model.js';
import { buildOptimizer } from './build-optimizer.js';
import { lockPatiently } from './lock.js';
import { peakMemory } from './peak-memory.js';
import { summarizePosterior } from './posterior.js';
import type { TrialHost, TrialRequest } from './request.js';
import type { TrialSummary } from './summary.js';

/** Events that are for others to see; the rest is between the loop and its plugins. */
function isShown(event: TrainingEvent): event is TrialEvent {
  return event.type !== 'settle' && event.type !== 'report' && event.type !== 'failure';
}

/**
 * The same data set, with a turn of the event loop before each batch: else Ctrl-C and a parent's end would go unnoticed for as
 * long as an engine that computes in this thread keeps it busy.
 */
function breathe(dataset: Dataset): Dataset {
  return {
    ...dataset,
    async batch(indices) {
      await nextTurn();
      return dataset.batch(indices);
    },
  };
}

/** Trains one rule in this process, from its newest checkpoint if it has one, and writes its results. */
export const runTrial: TrialHost = async (request, emit, signal) => {
  const layout = trialLayout(request.folder);
  await mkdir(layout.folder, { recursive: true });
  const lock = await lockPatiently(layout.folder);
  try {
    return await trainAndSave(request, emit, signal);
  } finally {
    await lock.release();
  }
};

const trainAndSave: TrialHost = async (request, emit, signal) => {
  const { configuration, index, folder } = request;
  const { seed, steps, batchSize, precision, data: dataConfiguration, evaluation, checkpoints } = configuration;
  const optimizer = configuration.optimizers[index]!;
  const layout = trialLayout(folder);
  const data = await loadData(dataConfiguration, seed);
  const breathing = { train: breathe(data.train), validation: breathe(data.validation), test: breathe(data.test) };
  const model = buildModel(configuration.model, dataConfiguration);
  const backend = await openBackend(configuration.backend);
  const ops = createOperations(backend);
  const memory = peakMemory();
  try {
    const trained = await train({
      ops,
      model,
      optimizer: buildOptimizer(optimizer, steps),
      precision: precisionPreset(precision),
      data: breathing,
      seed,
      steps,
      batchSize,
      evaluateEvery: evaluation.every,
      evaluationBatchSize: evaluation.batchSize,
      evaluationWeights: evaluation.weights,
      plugins: [
        eventListener((event) => {
          if (isShown(event)) emit(event);
        }, 'command'),
        metricsFile({ path: layout.metrics, replace: true }),
        memory.plugin,
        checkpointing({ folder: layout.checkpoints, every: checkpoints.every, keep: checkpoints.keep }),
      ],
      resume: await latestCheckpoint(layout.checkpoints),
      configuration: identityOf(request),
      signal,
    });
    try {
      if (trained.status === 'interrupted') return { status: 'interrupted', step: trained.step };
      await saveModel(ops, request, trained);
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
        },
        steps,
        device: backend.device,
        model: model.name,
        parameters: Object.values(model.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
        data: describeData(dataConfiguration, data),
      };
      await writeFileAtomic(layout.summary, `${JSON.stringify(summary, null, 2)}\n`);
      return { status: 'finished', result: summary.result };
    } finally {
      trained.dispose();
    }
  } finally {
    backend.close?.();
  }
};

/** What must be equal when the rule is resumed. Where checkpoints go and how often is not part of it. */
function identityOf({ configuration, index }: TrialRequest): Json {
  const { model, data, evaluation, backend } = configuration;
  const { folder: _, ...examples } = { folder: undefined, ...data };
  const identity = { backend, model, data: examples, evaluation, optimizer: configuration.optimizers[index] };
  return JSON.parse(JSON.stringify(identity)) as Json;
}

async function saveModel(ops: EagerOperations, request: TrialRequest, trained: TrainResult): Promise<void> {
  const { configuration, index, folder } = request;
  const { name, seed, steps, precision, evaluation } = configuration;
  const optimizer = configuration.optimizers[index]!;
  const layout = trialLayout(folder);
  // Nothing here may differ between two runs of one configuration: no date, no time, no path.
  await exportModel(ops, layout.model, trained.weights, {
    format: 'lmd-model-v1',
    name,
    optimizer: optimizer.name,
    rule: optimizer.rule,
    weights: evaluation.weights,
    precision,
    seed: String(seed),
    steps: String(steps),
    model: JSON.stringify(configuration.model),
  });
  if (optimizer.rule === 'lmd') {
    const posterior = await summarizePosterior(ops, trained.state, optimizer);
    await writeFileAtomic(layout.posterior, `${JSON.stringify(posterior)}\n`);
  }
}
