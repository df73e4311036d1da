import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Backend, createOperations, type EagerOperations } from '@lmd/core';
import { loadData } from '../data/index.js';
import type { RunData } from '../data/run-data.js';
import { openBackend } from '../engine/index.js';
import type { TrialRequest } from './request.js';
import { openTrainedModel, type TrainedModel } from './trained-model.js';

/** What a trial computes with. */
export interface OpenTrial {
  readonly ops: EagerOperations;
  readonly data: RunData;
  /** The model before training. */
  readonly starting: TrainedModel;
}

/** A configuration to open, and who is told what is being opened. */
export interface TrialToOpen extends Pick<TrialRequest, 'configuration' | 'threads'> {
  readonly onStage?: (stage: string) => void;
}

/**
 * Opens the data, the backend and the model of a configuration, and closes them after `body`. Undefined if the signal
 * aborted before `body`.
 */
export async function withOpenTrial<T>(
  { configuration, threads, onStage }: TrialToOpen,
  signal: AbortSignal,
  body: (open: OpenTrial) => Promise<T>,
): Promise<T | undefined> {
  onStage?.('reading the data');
  const data = await loadData(configuration.data, configuration.dataSeed ?? configuration.seed);
  let backend: Backend | undefined;
  let starting: TrainedModel | undefined;
  const isStopped = async () => {
    // Signals are handled only when the event loop runs.
    await nextTurn();
    return signal.aborted;
  };
  try {
    if (await isStopped()) return undefined;
    onStage?.('starting the backend');
    const used = threads ?? configuration.threads;
    backend = await openBackend(configuration.backend, used === undefined ? {} : { threads: used });
    if (await isStopped()) return undefined;
    const ops = createOperations(backend);
    const { model } = configuration;
    if (model.kind !== 'module' && model.weights !== undefined) onStage?.('reading the weights');
    starting = await openTrainedModel(ops, configuration);
    if (await isStopped()) return undefined;
    return await body({ ops, data, starting });
  } finally {
    starting?.dispose();
    await data.close?.();
    backend?.close?.();
  }
}
