import { locateData } from '../data/index.js';
import { openModelFile } from '../model-file/weights.js';
import { checkConsistency } from './consistency.js';
import type { ModelConfiguration } from './model-schema.js';
import type { Configuration } from './schema.js';

/**
 * A configuration that can run here: its data and weights found, relative paths made absolute, for a run that is resumed elsewhere,
 * and its parts checked against each other.
 *
 * @param origin begins the error message: a file's path or a preset's name.
 * @throws LmdError that says what to install, to prepare or to correct, before there is a run folder.
 */
export async function resolveConfiguration(configuration: Configuration, origin: string): Promise<Configuration> {
  const model = await locateWeights(configuration.model);
  const resolved = { ...configuration, data: locateData(configuration.data), model };
  checkConsistency(resolved, origin);
  return resolved;
}

/** Throws where there is no model, or one whose files are damaged at first sight. */
async function locateWeights(model: ModelConfiguration): Promise<ModelConfiguration> {
  if (model.weights === undefined) return model;
  const file = await openModelFile(model.weights);
  await file.close();
  return { ...model, weights: file.path };
}
