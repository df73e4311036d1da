import { existsSync, readdirSync } from 'node:fs';
import { type DrawKey, type EagerOperations, LmdError, type NamedTensors } from '@lmd/core';
import { type Checkpoint, writeTensors } from '@lmd/training';
import { latestCheckpoint } from '@lmd/training/node';
import type { RunWeightsKind } from '../configuration/choices.js';
import type { Configuration } from '../configuration/schema.js';
import { runLayout } from '../run/layout.js';
import { buildOptimizer } from './build-optimizer.js';
import type { TrainedModel } from './trained-model.js';

/** Which weights a run evaluates and exports. */
export const usualWeights = ({ weightAveraging, evaluation }: Configuration): RunWeightsKind =>
  weightAveraging === undefined ? evaluation.weights : 'average';

/** The weights that a run has trained so far with one optimizer. */
export interface RunWeights {
  /** The step of the checkpoint. */
  readonly step: number;
  /** Number of draws per update. */
  readonly samples: number;
  /** The trained weights, owned by the caller. */
  weights(key: DrawKey): NamedTensors;
  dispose(): void;
}

/**
 * Opens the newest checkpoint of an optimizer of a run.
 *
 * @throws LmdError if there is none.
 */
export async function openRunWeights(
  ops: EagerOperations,
  folder: string,
  configuration: Configuration,
  { model }: TrainedModel,
  name: string,
  kind: RunWeightsKind,
): Promise<RunWeights> {
  const described = configuration.optimizers.find((entry) => entry.name === name)!;
  const optimizer = buildOptimizer(described, configuration.steps, model);
  const checkpoint = await newestCheckpoint(folder, name);
  const isAverage = kind === 'average';
  const tensors = writeTensors(ops, isAverage ? checkpoint.plugins.weightAveraging!.tensors! : checkpoint.tensors);
  return {
    step: checkpoint.step,
    samples: optimizer.samples,
    weights: isAverage
      ? () => handlesOn(ops, tensors)
      : (key) => optimizer.weights(ops, { step: checkpoint.optimizerStep, tensors }, kind, key),
    dispose: () => ops.dispose(tensors),
  };
}

/** Separate handles to the same contents. */
export function handlesOn(ops: EagerOperations, tensors: NamedTensors): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, ops.reshape(x, x.shape)]));
}

/** Whether an optimizer of a run has a checkpoint file, intact or not. */
export function hasCheckpoint(folder: string, name: string): boolean {
  const { checkpoints } = runLayout(folder).trial(name);
  return existsSync(checkpoints) && readdirSync(checkpoints).some((file) => /^step-\d+\.safetensors$/.test(file));
}

async function newestCheckpoint(folder: string, name: string): Promise<Checkpoint> {
  const loaded = await latestCheckpoint(runLayout(folder).trial(name).checkpoints);
  if (loaded !== undefined) return loaded.checkpoint;
  throw new LmdError('INVALID_ARGUMENT', `${name} has no checkpoint in ${folder} yet.`, {
    subject: name,
    remedy: `Wait for the first one, or resume the run: lmd train --resume ${folder}`,
  });
}
