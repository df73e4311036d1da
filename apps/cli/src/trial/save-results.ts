import { type EagerOperations, lmdWeightNames } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { TrainResult } from '@lmd/training';
import { exportModel } from '@lmd/training/node';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { tokenizerOf } from '../data/index.js';
import { withoutModulePath } from '../modules/uses.js';
import { jsonLine } from '../output/json.js';
import { trialLayout } from '../run/layout.js';
import type { Network } from './build-model.js';
import { summarizePosterior } from './posterior.js';
import type { TrialRequest } from './request.js';
import type { TrainedModel } from './trained-model.js';

/**
 * The metadata of a model file. It is equal for two runs of the same configuration: it has no date, time or path.
 *
 * @param steps that the weights were trained for.
 */
export function modelMetadata(
  configuration: Configuration,
  index: number,
  architecture: Network,
  steps: number,
): Record<string, string> {
  const { name, seed, evaluation, data, model } = configuration;
  const optimizer = configuration.optimizers[index]!;
  const tokenizer = tokenizerOf(data);
  return {
    format: 'lmd-model-v1',
    name,
    optimizer: optimizer.name,
    rule: optimizer.rule,
    weights: evaluation.weights,
    precision: precisionOf(configuration, optimizer),
    seed: String(seed),
    steps: String(steps),
    model: JSON.stringify({ ...withoutModulePath(model), weights: undefined }),
    architecture: architecture.architecture,
    config: JSON.stringify(architecture.config),
    ...(tokenizer === undefined ? {} : { tokenizer: JSON.stringify(tokenizer) }),
  };
}

/** Writes the trained model, and the summary of LMD's posterior. */
export async function saveModel(
  ops: EagerOperations,
  { configuration, index, folder }: TrialRequest,
  trained: TrainResult,
  { architecture, merge }: TrainedModel,
): Promise<void> {
  const optimizer = configuration.optimizers[index]!;
  const layout = trialLayout(folder);
  const weights = merge(ops, trained.weights);
  try {
    const metadata = modelMetadata(configuration, index, architecture, configuration.steps);
    await exportModel(ops, layout.model, weights, metadata);
  } finally {
    ops.dispose(weights);
  }
  if (optimizer.rule !== 'lmd' || lmdWeightNames(trained.state).length === 0) return;
  const posterior = await summarizePosterior(ops, trained.state, optimizer);
  await writeFileAtomic(layout.posterior, jsonLine(posterior));
}
