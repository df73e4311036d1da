import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type EagerOperations, LmdError, type NamedTensors, type PackedMatrix, parseForeignJson } from '@lmd/core';
import {
  contractionAxes,
  describePretrained,
  gpt2,
  importPretrained,
  type LayoutName,
  layoutOfTensors,
  type PackedModel,
  type PretrainedDescription,
  type PretrainedModel,
  packWeight,
  vit,
} from '@lmd/models';
import type { FormatName } from '@lmd/mx-formats';
import type { Terminal } from '../output/terminal.js';
import { runLayout } from '../run/layout.js';
import { readJson } from './json.js';
import { type ModelTensors, modelTensors } from './model-tensors.js';
import { indexSuffix, openTensorFile } from './tensor-file.js';

/** Weights that are initialized from a seed instead of read from the file. */
export interface FreshWeights {
  readonly names: ReadonlySet<string>;
  readonly seed: number;
}

/** An open model file. */
export interface ModelFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The library whose tensor names are used; undefined if the model is neither a GPT-2 nor a ViT. */
  readonly layout: LayoutName | undefined;
  /** Notes for the user about how the weights are read. */
  readonly notes: readonly string[];
  /**
   * Describes the network from the file, or from the `config.json` of a model of another library; undefined if neither
   * has a description. Throws an `LmdError` for an unsupported variant.
   */
  describe(): PretrainedDescription | undefined;
  /** The weights of `model` by lmd's names, owned by the caller. Throws an `LmdError` if the file has another model. */
  weights(ops: EagerOperations, model: PretrainedModel, fresh?: FreshWeights): Promise<NamedTensors>;
  /** The block format in which `lmd quantize` packed the matrices; absent if they are not packed. */
  readonly packedFormat?: string | undefined;
  /**
   * The weights of a GPT-2, owned by the caller, with its matrices as packed codes: those of the file, or quantized to
   * `format` one by one, so that at most one is in f32 at a time. Absent if the file does not support this.
   */
  packedWeights?(ops: EagerOperations, model: PretrainedModel, format?: FormatName): Promise<PackedModel>;
  close(): Promise<void>;
}

/**
 * The model file for a path: the file or index itself, or the one in the folder of a run or of a model of transformers.
 */
export function modelFilePath(given: string): string {
  const path = resolve(given);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? runLayout(path).model : path;
  if (existsSync(file)) return file;
  if (isFolder && existsSync(`${file}${indexSuffix}`)) return `${file}${indexSuffix}`;
  throw new LmdError('FILE_SYSTEM', `${file} does not exist.`, {
    subject: 'model',
    value: given,
    remedy: isFolder
      ? 'Use a finished run, or a folder with a model.safetensors.'
      : 'Use a safetensors file, the index of a sharded model, or a run.',
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
    const beside = async (name: string) => {
      const json = join(dirname(path), name);
      return !isOurs && existsSync(json) ? await readJson(json) : undefined;
    };
    const [config, processor] = [await beside('config.json'), await beside('preprocessor_config.json')];
    return {
      path,
      metadata,
      layout: isOurs ? 'lmd' : layoutOfTensors(tensors.names)?.layout,
      notes: tensors.notes,
      describe: () => (isOurs ? ownDescription(metadata, path) : describePretrained(config, tensors.shapes, processor)),
      weights: (ops, model, fresh) =>
        isOurs ? ownWeights(ops, tensors, path, model, fresh) : foreignWeights(ops, tensors, model, fresh),
      packedFormat: tensors.packedFormat,
      packedWeights: (ops, model, format) => packedModel(ops, { tensors, path, isOurs }, model, format),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The network that a file describes; undefined if the description is missing or incomplete. */
export function modelOf(file: ModelFile): PretrainedModel | undefined {
  const described = file.describe();
  if (described === undefined) return undefined;
  if (described.architecture === 'gpt2') return gpt2(described.options as Parameters<typeof gpt2>[0]);
  // The number of heads is in no tensor, and not in every config.json of timm.
  if (described.options.heads === undefined || described.options.imageSize === undefined) return undefined;
  return vit(described.options as Parameters<typeof vit>[0]);
}

/** Prints the notes about how the weights are read. */
export function writeNotes({ notes }: Pick<ModelFile, 'notes'>, { error, errorColours }: Terminal): void {
  for (const note of notes) error.write(`${errorColours.yellow('note')} ${note}\n`);
}

/** Parses the metadata of a model of lmd. */
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
    throw corrupt('architecture', `is ${JSON.stringify(architecture)}, but must be "gpt2" or "vit"`, architecture);
  }
  const options = parseForeignJson(config, `${path}: the metadata "config"`);
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return { architecture, options };
  throw corrupt('config', `is ${JSON.stringify(options)}, but must be an object`, options);
}

async function packedModel(
  ops: EagerOperations,
  { tensors, path, isOurs }: { readonly tensors: ModelTensors; readonly path: string; readonly isOurs: boolean },
  model: PretrainedModel,
  format: FormatName | undefined,
): Promise<PackedModel> {
  const stored = tensors.packedFormat;
  if (stored !== undefined && format !== undefined && format !== stored) {
    throw new LmdError('INVALID_ARGUMENT', `--weights-format is ${format}, but ${path} is packed in ${stored}.`, {
      subject: '--weights-format',
      value: format,
      remedy: 'Omit the option, or use the original file: quantizing twice has a larger error than quantizing once.',
    });
  }
  if (isOurs) return ownPacked(ops, tensors, path, model, format);
  const packed = (name: string, axis: number) => tensors.codes(name, axis, format);
  const imported = await importPretrained(ops, { tensors: { ...tensors, packed }, model });
  for (const tensor of Object.values(imported.weights)) ops.keep(tensor);
  return imported;
}

/** Throws if a parameter of the model is missing in the file or has another shape. */
function checkStored(tensors: ModelTensors, path: string, name: string, shape: readonly number[], model: string): void {
  const stored = tensors.shapes.get(name);
  if (stored === undefined) throw mismatch(path, name, 'is missing', model);
  if (stored.join() === shape.join()) return;
  throw mismatch(path, name, `has shape [${stored.join(', ')}], not [${shape.join(', ')}]`, model);
}

async function ownPacked(
  ops: EagerOperations,
  tensors: ModelTensors,
  path: string,
  model: PretrainedModel,
  format: FormatName | undefined,
): Promise<PackedModel> {
  const entries = Object.entries(model.parameters);
  for (const [name, { shape }] of entries) checkStored(tensors, path, name, shape, model.name);
  const axes = contractionAxes(entries.map(([name, { shape }]) => [name, shape])) ?? new Map<string, number>();
  const weights: Record<string, NamedTensors[string]> = {};
  const packedWeights: Record<string, PackedMatrix> = {};
  try {
    for (const [name, { shape }] of entries) {
      const axis = axes.get(name);
      const codes = axis === undefined ? undefined : await tensors.codes(name, axis, format);
      if (codes !== undefined) packedWeights[name] = packWeight(ops, name, codes);
      else weights[name] = ops.keep(ops.fromData((await tensors.read(name)).data, shape, 'f32'));
    }
    return { weights, packedWeights };
  } catch (error) {
    ops.dispose(weights);
    for (const { tensors } of Object.values(packedWeights)) ops.dispose(tensors);
    throw error;
  }
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
      checkStored(tensors, path, name, shape, model.name);
      weights[name] = ops.keep(ops.fromData((await tensors.read(name)).data, shape, 'f32'));
    }
    // In the order of the forward pass, like initialized weights.
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
    remedy: `The file must contain a ${model}: configure the model as it was trained.`,
  });
}
