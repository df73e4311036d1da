import { locateData } from '../data/index.js';
import { openModelFile } from '../model-file/weights.js';
import { completeModel } from '../trial/pretrained-model.js';
import { checkConsistency } from './consistency.js';
import type { Configuration } from './schema.js';

/**
 * A configuration that can run here: its data found, what the file of the model's weights says of the network filled in, paths made
 * absolute for a run that is resumed elsewhere, and its parts checked against each other.
 *
 * @param origin begins the error message: a file's path or a preset's name.
 * @param note is told what a person should know of how the weights are read.
 * @throws LmdError that says what to install, to prepare or to correct, before there is a run folder.
 */
export async function resolveConfiguration(
  given: Configuration,
  origin: string,
  note: (text: string) => void = () => {},
): Promise<Configuration> {
  const resolved = await located(given, note);
  checkConsistency(resolved, origin);
  return resolved;
}

async function located(given: Configuration, note: (text: string) => void): Promise<Configuration> {
  const configuration = { ...given, data: locateData(given.data) };
  if (given.model.weights === undefined) return configuration;
  const file = await openModelFile(given.model.weights);
  try {
    for (const text of file.notes) note(text);
    return { ...configuration, model: { ...completeModel(configuration, file), weights: file.path } };
  } finally {
    await file.close();
  }
}
