import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type EagerOperations, LmdError, type NamedTensors, parseForeignJson } from '@lmd/core';
import {
  describePretrained,
  gpt2,
  importPretrained,
  type LayoutName,
  layoutOfTensors,
  type PretrainedDescription,
  type PretrainedModel,
  vit,
} from '@lmd/models';
import type { Terminal } from '../output/terminal.js';
import { runLayout } from '../run/layout.js';
import { readJson } from './json.js';
import { type ModelTensors, modelTensors } from './model-tensors.js';
import { indexSuffix, openTensorFile } from './tensor-file.js';

/** Weights that begin from a seed, whatever the file has of them. */
export interface FreshWeights {
  readonly names: ReadonlySet<string>;
  readonly seed: number;
}

/** A model file that is open. */
export interface ModelFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whose names the tensors have; undefined for another model than a GPT-2 or a ViT. */
  readonly layout: LayoutName | undefined;
  /** What a person should know of how the weights are read. */
  readonly notes: readonly string[];
  /**
   * What the file, or the `config.json` beside a model of another library, says of the network; undefined where nothing does. Throws an
   * `LmdError` for a variant that our models do not have.
   */
  describe(): PretrainedDescription | undefined;
  /** The caller's weights of `model`, by our names. Throws an `LmdError` where the file holds another model. */
  weights(ops: EagerOperations, model: PretrainedModel, fresh?: FreshWeights): Promise<NamedTensors>;
  close(): Promise<void>;
}

/** The model file of a path: the file or index itself, or the one in the folder of a run or of a model of transformers. */
export function modelFilePath(given: string): string {
  const path = resolve(given);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? runLayout(path).model : path;
  if (existsSync(file)) return file;
  if (isFolder && existsSync(`${file}${indexSuffix}`)) return `${file}${indexSuffix}`;
  throw new LmdError('FILE_SYSTEM', `There is no ${file}.`, {
    subject: 'model',
    value: given,
    remedy: isFolder
      ? 'Name a run that is done, or a folder with a model.safetensors.'
      : 'Name a safetensors file, the index of several, or a run.',
  });
}

/** Opens a model of `lmd`, packed ones included, or one of transformers or timm. Weights are read one at a time. */
export async function openModelFile(given: string): Promise<ModelFile> {
  const path = modelFilePath(given);
  const file = await openTensorFile(path);
  try {
    const { metadata } = file;
    const tensors = modelTensors(file, path);
    const isOurs = metadata.format === 'lmd-model-v1';
    const beside = join(dirname(path), 'config.json');
    const config = !isOurs && existsSync(beside) ? await readJson(beside) : undefined;
    return {
      path,
      metadata,
      layout: isOurs ? 'lmd' : layoutOfTensors(tensors.names)?.layout,
      notes: tensors.notes,
      describe: () => (isOurs ? ownDescription(metadata, path) : describePretrained(config, tensors.shapes)),
      weights: (ops, model, fresh) =>
        isOurs ? ownWeights(ops, tensors, path, model, fresh) : foreignWeights(ops, tensors, model, fresh),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The network that a file says it holds; undefined where it does not say, or not all of it. */
export function modelOf(file: ModelFile): PretrainedModel | undefined {
  const described = file.describe();
  if (described === undefined) return undefined;
  if (described.architecture === 'gpt2') return gpt2(described.options as Parameters<typeof gpt2>[0]);
  // The one thing that no tensor and not every config.json of timm says.
  if (described.options.heads === undefined || described.options.imageSize === undefined) return undefined;
  return vit(described.options as Parameters<typeof vit>[0]);
}

/** Tells a person how the weights are read. */
export function writeNotes({ notes }: Pick<ModelFile, 'notes'>, { error, errorColours }: Terminal): void {
  for (const note of notes) error.write(`${errorColours.yellow('note')} ${note}\n`);
}

/** What the metadata of a model of ours say. */
function ownDescription(metadata: Readonly<Record<string, string>>, path: string): PretrainedDescription | undefined {
  const { config, architecture = 'gpt2' } = metadata;
  if (config === undefined) return undefined;
  const corrupt = (key: string, problem: string, value: unknown) =>
    new LmdError('DATA_CORRUPT', `${path}: the metadata "${key}" ${problem}.`, {
      subject: key,
      value,
      remedy: 'Export the model again.',
    });
  if (architecture !== 'gpt2' && architecture !== 'vit') {
    throw corrupt('architecture', `is ${JSON.stringify(architecture)}, and must be "gpt2" or "vit"`, architecture);
  }
  const options = parseForeignJson(config, `${path}: the metadata "config"`);
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return { architecture, options };
  throw corrupt('config', `is ${JSON.stringify(options)}, and must be an object`, options);
}

async function ownWeights(
  ops: EagerOperations,
  tensors: ModelTensors,
  path: string,
  model: PretrainedModel,
  fresh: FreshWeights | undefined,
) {
  const weights: Record<string, NamedTensors[string]> = {};
  try {
    if (fresh !== undefined) Object.assign(weights, beginFresh(ops, model, fresh));
    for (const [name, { shape }] of Object.entries(model.parameters)) {
      if (fresh?.names.has(name)) continue;
      const stored = tensors.shapes.get(name);
      if (stored === undefined) throw mismatch(path, name, 'is missing', model.name);
      if (stored.join() !== shape.join()) {
        throw mismatch(path, name, `has shape [${stored.join(', ')}], not [${shape.join(', ')}]`, model.name);
      }
      weights[name] = ops.keep(ops.fromData((await tensors.read(name)).data, shape, 'f32'));
    }
    // In the order of the forward pass, as a model's own.
    return Object.fromEntries(Object.keys(model.parameters).map((name) => [name, weights[name]!]));
  } catch (error) {
    ops.dispose(weights);
    throw error;
  }
}

function beginFresh(ops: EagerOperations, model: PretrainedModel, { names, seed }: FreshWeights): NamedTensors {
  return ops.scope(() =>
    Object.fromEntries(Object.entries(model.initialize(ops, seed)).filter(([name]) => names.has(name))),
  );
}

async function foreignWeights(
  ops: EagerOperations,
  tensors: ModelTensors,
  model: PretrainedModel,
  fresh: FreshWeights | undefined,
) {
  const { weights } = await importPretrained(ops, {
    tensors,
    model,
    ...(fresh === undefined
      ? {}
      : { initialize: { match: (name: string) => fresh.names.has(name), seed: fresh.seed } }),
  });
  for (const tensor of Object.values(weights)) ops.keep(tensor);
  return weights;
}

function mismatch(path: string, weight: string, problem: string, model: string): LmdError {
  return new LmdError('CHECKPOINT_MISMATCH', `${path}: the weight ${weight} ${problem}.`, {
    subject: weight,
    value: path,
    remedy: `The file must hold a ${model}: configure the model as it was trained.`,
  });
}
