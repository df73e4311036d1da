import { basename, relative, resolve } from 'node:path';
import { type Backend, createOperations, isLmdError, LmdError } from '@lmd/core';
import {
  describeInMetadata,
  type LoadedModel,
  type ModelDescription,
  type ModelFile,
  modelOf,
  type PreparedImage,
} from '@lmd/inference';
import type { NodeImageInput } from '@lmd/inference/node';
import { loadOpenModel } from '@lmd/inference/node';
import { imprintClass, type Vit } from '@lmd/models';
import { type SafetensorsTensor, tensorFrom } from '@lmd/safetensors';
import { writeSafetensorsFile } from '@lmd/safetensors/node';
import { readTensors } from '@lmd/training';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { openBackend } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { modelFile, refuseExistingFile } from '../export/new-file.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { count } from '../output/units.js';
import { checkPreprocessing } from '../predict/check-preprocessing.js';
import { imagesOf, unusedNotes } from '../predict/images-of.js';
import { openModelOrRun } from '../trial/run-model.js';

export interface AddClassCommandOptions {
  readonly name?: string;
  readonly out: string;
  readonly optimizer?: string;
  readonly backend: BackendChoice;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Images whose features are computed at a time. */
const groupSize = 32;

/**
 * `lmd add-class`: adds a class to a trained classifier from a few images of it, without training (`imprintClass`), and
 * writes the wider model as a new file. Images of a folder that cannot be decoded are skipped and named, as in a
 * training on a folder.
 */
export async function addClassCommand(
  path: string,
  folder: string,
  options: AddClassCommandOptions,
  terminal: Terminal,
): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const output = modelFile(options.out);
  refuseExistingFile(output, options.force);
  const { images, isFolder, unused } = await imagesOf(folder);
  const name = options.name ?? basename(resolve(folder));
  const file = await openModelOrRun(path, options.optimizer);
  let skipped: readonly string[] = [];
  try {
    const { description, model } = classifierOf(file);
    checkPreprocessing(file);
    const classNames = namesWith(description, model, name);
    const backend = await openBackend(options.backend);
    try {
      const tensors = await readWeights(file, backend, model);
      // Closes the file.
      const loaded = await loadOpenModel(file, { backend });
      writeNotes(loaded, terminal);
      writeNotes({ notes: unusedNotes(unused) }, terminal);
      const found = await featuresOf(loaded, images, isFolder ? resolve(folder) : undefined);
      ({ skipped } = found);
      const { features } = found;
      writeNotes({ notes: skipped.map((name) => `${name} cannot be decoded and is skipped`) }, terminal);
      loaded.dispose();
      if (features.length === 0) throw noImage(folder, skipped);
      await writeSafetensorsFile(output, {
        tensors: widened(tensors, features),
        metadata: describeInMetadata(widerDescription(description, model, classNames)),
      });
    } finally {
      backend.close?.();
    }
    const used = images.length - skipped.length;
    if (options.json) {
      terminal.out.write(
        jsonLine({ type: 'addedClass', model: output, className: name, images: used, skipped, classNames }),
      );
      return;
    }
    terminal.out.write(
      `Added ${name} from ${count(used)} ${used === 1 ? 'image' : 'images'}; the model has ` +
        `${count(classNames.length)} classes now.\nModel  ${output}\n`,
    );
  } finally {
    await file.close();
  }
}

interface Features {
  readonly features: readonly Float32Array[];
  /** Images that cannot be decoded, relative to their folder. */
  readonly skipped: readonly string[];
}

/**
 * The features of images.
 *
 * @param folder that the images are in; undefined for one image, which must be one.
 */
async function featuresOf(
  model: LoadedModel<NodeImageInput>,
  images: readonly string[],
  folder: string | undefined,
): Promise<Features> {
  const features: Float32Array[] = [];
  const skipped: string[] = [];
  const prepare = async (path: string): Promise<readonly PreparedImage[]> => {
    try {
      return [await model.prepare(path)];
    } catch (error) {
      const isOfFile = isLmdError(error, 'DATA_CORRUPT') || isLmdError(error, 'FILE_SYSTEM');
      if (folder === undefined || !isOfFile) throw error;
      skipped.push(relative(folder, path));
      return [];
    }
  };
  for (let from = 0; from < images.length; from += groupSize) {
    const prepared = (await Promise.all(images.slice(from, from + groupSize).map(prepare))).flat();
    if (prepared.length > 0) features.push(...(await model.embed(prepared)));
  }
  return { features, skipped: skipped.sort() };
}

function noImage(folder: string, skipped: readonly string[]): UsageError {
  return new UsageError('DATA_CORRUPT', `${folder} has no image that can be decoded.`, {
    subject: 'images',
    value: skipped,
    remedy: 'Use a folder with images of the new class.',
  });
}

/** A Vision Transformer whose head is stored as numbers. */
function classifierOf(file: ModelFile): { readonly description: ModelDescription; readonly model: Vit } {
  const description = file.describe();
  const model = modelOf(description);
  const refuse = (problem: string, remedy: string) =>
    new LmdError('UNSUPPORTED', `${file.path} ${problem}.`, { subject: 'model', value: file.path, remedy });
  if (description === undefined || model === undefined) {
    throw refuse('does not describe a network of lmd', 'Use a run of a vit, or a model with its description.');
  }
  if (model.architecture !== 'vit') throw refuse(`is a ${model.architecture}`, 'Only a vit classifies images.');
  if (file.packedFormat !== undefined) {
    const remedy = 'Add the class to the original model, then pack it again with lmd quantize.';
    throw refuse(`is packed in ${file.packedFormat}`, remedy);
  }
  return { description, model };
}

function namesWith(description: ModelDescription, model: Vit, name: string): readonly string[] {
  const names = description.classNames ?? Array.from({ length: model.config.classes }, (_, label) => String(label));
  if (name.trim() === '') {
    throw new UsageError('INVALID_ARGUMENT', `--name ${JSON.stringify(name)} is empty.`, {
      subject: '--name',
      value: name,
      remedy: 'Give the new class a name.',
    });
  }
  if (!names.includes(name)) return [...names, name];
  throw new UsageError('INVALID_ARGUMENT', `The model already has a class ${name}.`, {
    subject: '--name',
    value: name,
    remedy: 'Give the new class another name with --name, or rename the folder.',
  });
}

interface HostTensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}
type HostTensors = Readonly<Record<string, HostTensor>>;

/** The weights of a model are all f32. */
async function readWeights(file: ModelFile, backend: Backend, model: Vit): Promise<HostTensors> {
  const ops = createOperations(backend);
  const weights = await file.weights(ops, model);
  try {
    return (await readTensors(ops, weights)) as HostTensors;
  } finally {
    ops.dispose(weights);
  }
}

/** The tensors of the file with the wider head. */
function widened(tensors: HostTensors, features: readonly Float32Array[]): Record<string, SafetensorsTensor> {
  const { weight, bias } = imprintClass(
    { weight: tensors['head.weight']!.data, bias: tensors['head.bias']!.data },
    features,
  );
  const classes = bias.length;
  const wider: HostTensors = {
    ...tensors,
    'head.weight': { data: weight, shape: [weight.length / classes, classes] },
    'head.bias': { data: bias, shape: [classes] },
  };
  return Object.fromEntries(Object.entries(wider).map(([name, { data, shape }]) => [name, tensorFrom(data, shape)]));
}

/** Without the optimizer: the wider model has no posterior. */
function widerDescription(
  { optimizer: _, weights: __, ...rest }: ModelDescription,
  model: Vit,
  classNames: readonly string[],
): ModelDescription {
  return { ...rest, architecture: 'vit', config: { ...model.config, classes: classNames.length }, classNames };
}
