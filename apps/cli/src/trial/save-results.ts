import { type EagerOperations, lmdWeightNames } from '@lmd/core';
import { type DescribedNetwork, describeInMetadata, type ModelDescription } from '@lmd/inference';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { TrainResult } from '@lmd/training';
import { exportModel } from '@lmd/training/node';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { geometryOf, tokenizerOf } from '../data/index.js';
import type { Geometry } from '../data/source.js';
import { withoutModulePath } from '../modules/uses.js';
import { jsonLine } from '../output/json.js';
import { installedVersions } from '../run/environment.js';
import { trialLayout } from '../run/layout.js';
import type { Network } from './build-model.js';
import { describeOptimizer } from './build-optimizer.js';
import { summarizePosterior } from './posterior.js';
import type { TrialRequest } from './request.js';
import type { TrainedModel } from './trained-model.js';

/**
 * What a trained model knows of itself. It is equal for two runs of the same configuration: it has no date, time or
 * path.
 *
 * @param steps that the weights were trained for.
 */
export function modelDescription(
  configuration: Configuration,
  index: number,
  { architecture, config }: Network,
  steps: number,
): ModelDescription {
  const { name, seed, evaluation, data } = configuration;
  const optimizer = configuration.optimizers[index]!;
  return {
    ...({ architecture, config } as DescribedNetwork),
    name,
    ...knownOfData(data),
    precision: precisionOf(configuration, optimizer),
    optimizer: { name: optimizer.name, ...describeOptimizer(optimizer, configuration.steps), rule: optimizer.rule },
    weights: evaluation.weights,
    seed,
    steps,
    versions: installedVersions(),
  };
}

/** The metadata of a model file: its description, and the configuration of its model. */
export function modelMetadata(description: ModelDescription, { model }: Configuration): Record<string, string> {
  return {
    ...describeInMetadata(description),
    model: JSON.stringify({ ...withoutModulePath(model), weights: undefined }),
  };
}

/** What a model must know of its data, to predict for others. */
function knownOfData(data: Configuration['data']): Partial<ModelDescription> {
  const tokenizer = tokenizerOf(data);
  if (tokenizer !== undefined) return { tokenizer };
  const { classNames, preprocessing } = geometryOf(data) as Extract<Geometry, { kind: 'images' }>;
  return {
    ...(classNames === undefined ? {} : { classNames }),
    ...(preprocessing === undefined ? {} : { preprocessing }),
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
    const description = modelDescription(configuration, index, architecture, configuration.steps);
    await exportModel(ops, layout.model, weights, modelMetadata(description, configuration));
  } finally {
    ops.dispose(weights);
  }
  if (optimizer.rule !== 'lmd' || lmdWeightNames(trained.state).length === 0) return;
  const posterior = await summarizePosterior(ops, trained.state, optimizer);
  await writeFileAtomic(layout.posterior, jsonLine(posterior));
}
