import { openModelFile } from '@lmd/inference/node';
import { geometryOf, locateData } from '../data/index.js';
import { prepareModules } from '../modules/prepare.js';
import { withDigests } from '../modules/uses.js';
import { completeModel, noteOnClasses } from '../trial/pretrained-model.js';
import { checkConsistency } from './consistency.js';
import type { Configuration } from './schema.js';

/**
 * Makes a configuration ready to run: locates the data, fills in the sizes of the network from the file of its weights,
 * makes paths absolute so that the run can be resumed from another folder, and checks consistency.
 *
 * @param origin the beginning of error messages: the path of a file or the name of a preset.
 * @param note receives notes for the user about how the weights are read.
 * @throws LmdError that states what to install, prepare or correct, before a run folder is created.
 */
export async function resolveConfiguration(
  given: Configuration,
  origin: string,
  note: (text: string) => void = () => {},
): Promise<Configuration> {
  const resolved = withDigests(await located(given, note));
  await prepareModules(resolved, geometryOf);
  checkConsistency(resolved, origin);
  return resolved;
}

async function located(given: Configuration, note: (text: string) => void): Promise<Configuration> {
  const configuration = { ...given, data: locateData(given.data) };
  const { model } = given;
  if (model.kind === 'module' || model.weights === undefined) return configuration;
  const file = await openModelFile(model.weights);
  try {
    for (const text of file.notes) note(text);
    const completed = completeModel({ ...configuration, model }, file);
    const classes = noteOnClasses(configuration, file);
    if (classes !== undefined) note(classes);
    return { ...configuration, model: { ...completed, weights: file.path } };
  } finally {
    await file.close();
  }
}
