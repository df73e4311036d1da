import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ModelFile } from '@lmd/inference';
import { openModelFile } from '@lmd/inference/node';
import { latestCheckpoint } from '@lmd/training/node';
import { choose } from '../commands/choose.js';
import { parseJsonFile } from '../configuration/json-file.js';
import type { Configuration } from '../configuration/schema.js';
import { geometryOf } from '../data/index.js';
import { prepareModules } from '../modules/prepare.js';
import { notesOnModules } from '../modules/uses.js';
import { runLayout } from '../run/layout.js';
import { configurationOf } from '../run/run.js';
import { buildModel } from './build-model.js';
import { hasCheckpoint, openRunWeights, usualWeights } from './run-weights.js';
import { modelDescription, modelMetadata } from './save-results.js';
import { openTrainedModel } from './trained-model.js';

/**
 * Opens a model file, or the model of a run: that of a finished optimizer, or that of its newest checkpoint.
 *
 * @param optimizer name of an optimizer of the run (default: the first with a checkpoint).
 */
export async function openModelOrRun(given: string, optimizer: string | undefined): Promise<ModelFile> {
  const folder = resolve(given);
  const layout = runLayout(folder);
  if (!isRun(layout.configuration) || (optimizer === undefined && existsSync(layout.model)))
    return openModelFile(given);
  const configuration = configurationOf(folder);
  const names = configuration.optimizers.map(({ name }) => name);
  const name =
    optimizer === undefined
      ? (names.find((candidate) => hasCheckpoint(folder, candidate)) ?? names[0]!)
      : choose('--optimizer', optimizer, names);
  const { model } = layout.trial(name);
  if (existsSync(model) || !hasCheckpoint(folder, name)) return openModelFile(model);
  return openCheckpoint(folder, configuration, names.indexOf(name));
}

/** Whether a `config.json` is that of a run. A model of transformers has a `config.json` as well. */
function isRun(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const value = parseJsonFile(path);
    return typeof value === 'object' && value !== null && 'optimizers' in value;
  } catch {
    // Opening it as a model throws the appropriate error.
    return false;
  }
}

/** The newest weights of an unfinished optimizer, in the form of a model file. */
async function openCheckpoint(folder: string, configuration: Configuration, index: number): Promise<ModelFile> {
  const { name } = configuration.optimizers[index]!;
  const { checkpoints } = runLayout(folder).trial(name);
  const loaded = await latestCheckpoint(checkpoints);
  await prepareModules(configuration, geometryOf);
  const architecture = buildModel(configuration.model, configuration.data);
  const description = modelDescription(configuration, index, architecture, loaded?.checkpoint.step ?? 0);
  return {
    path: loaded?.path ?? checkpoints,
    layout: 'lmd',
    notes: notesOnModules(configuration),
    describe: () => description,
    metadata: modelMetadata(description, configuration),
    checkpoint: async () => loaded,
    async weights(ops) {
      const trained = await openTrainedModel(ops, configuration);
      try {
        const kind = usualWeights(configuration);
        const newest = await openRunWeights(ops, folder, configuration, trained, name, kind);
        const weights = newest.weights({ seed: configuration.seed, step: newest.step, sample: newest.samples });
        try {
          const merged = trained.merge(ops, weights);
          for (const tensor of Object.values(merged)) ops.keep(tensor);
          return merged;
        } finally {
          ops.dispose(weights);
          newest.dispose();
        }
      } finally {
        trained.dispose();
      }
    },
    async close() {},
  };
}
