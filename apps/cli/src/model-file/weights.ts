import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type EagerOperations, LmdError, type NamedTensors } from '@lmd/core';
import {
  type ConfigJson,
  type Gpt2,
  gpt2,
  importPretrained,
  modelFromConfigJson,
  type PretrainedModel,
  type PretrainedTensors,
  type Vit,
  vit,
} from '@lmd/models';
import { type SafetensorsTensor, toFloat32Array } from '@lmd/safetensors';
import { runLayout } from '../run/layout.js';
import { type PackedWeights, packedKey, unpackWeight } from './packed.js';
import { indexSuffix, openTensorFile, type TensorFile } from './tensor-file.js';

/** Weights that begin from a seed, whatever the file has of them. */
export interface FreshWeights {
  readonly names: ReadonlySet<string>;
  readonly seed: number;
}

/** A model file that is open. */
export interface ModelFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The `config.json` beside a model of transformers. */
  readonly config?: ConfigJson;
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
  const { metadata } = file;
  const config = join(dirname(path), 'config.json');
  const isOurs = metadata.format === 'lmd-model-v1';
  return {
    path,
    metadata,
    ...(!isOurs && existsSync(config) ? { config: JSON.parse(readFileSync(config, 'utf8')) as ConfigJson } : {}),
    weights: (ops, model, fresh) =>
      isOurs ? ownWeights(ops, file, path, model, fresh) : foreignWeights(ops, file, model, fresh),
    close: () => file.close(),
  };
}

/** The network that a file says it holds; undefined where it does not say. */
export function modelOf({ metadata, config }: ModelFile): PretrainedModel | undefined {
  if (config !== undefined) return modelFromConfigJson(config);
  const { config: sizes, architecture } = metadata;
  if (sizes === undefined) return undefined;
  return architecture === 'vit' ? vit(JSON.parse(sizes)) : gpt2(JSON.parse(sizes));
}

async function ownWeights(
  ops: EagerOperations,
  file: TensorFile,
  path: string,
  model: Gpt2 | Vit,
  fresh: FreshWeights | undefined,
) {
  const text = file.metadata[packedKey];
  const packed = text === undefined ? undefined : (JSON.parse(text) as PackedWeights);
  const weights: Record<string, NamedTensors[string]> = {};
  try {
    if (fresh !== undefined) Object.assign(weights, beginFresh(ops, model, fresh));
    for (const [name, { shape }] of Object.entries(model.parameters)) {
      if (fresh?.names.has(name)) continue;
      const isPacked = packed !== undefined && Object.hasOwn(packed.axes, name);
      if (!isPacked && !file.entries.has(name)) throw mismatch(path, name, 'is missing', model.name);
      const tensor = isPacked
        ? await unpackWeight(name, packed, (part) => file.read(part))
        : plain(await file.read(name));
      if (tensor.shape.join() !== shape.join()) {
        throw mismatch(path, name, `has shape [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`, model.name);
      }
      weights[name] = ops.keep(ops.fromData(tensor.data, shape, 'f32'));
    }
    // In the order of the forward pass, as a model's own.
    return Object.fromEntries(Object.keys(model.parameters).map((name) => [name, weights[name]!]));
  } catch (error) {
    ops.dispose(weights);
    throw error;
  }
}

function beginFresh(ops: EagerOperations, model: Gpt2 | Vit, { names, seed }: FreshWeights): NamedTensors {
  return ops.scope(() =>
    Object.fromEntries(Object.entries(model.initialize(ops, seed)).filter(([name]) => names.has(name))),
  );
}

function plain(tensor: SafetensorsTensor): { readonly data: Float32Array; readonly shape: readonly number[] } {
  return { data: toFloat32Array(tensor), shape: tensor.shape };
}

/** The tensors of a file as `importPretrained` and `mergeAdapters` read them. */
export function tensorsOf(file: TensorFile): PretrainedTensors {
  return { names: [...file.entries.keys()], read: async (name) => plain(await file.read(name)) };
}

async function foreignWeights(
  ops: EagerOperations,
  file: TensorFile,
  model: PretrainedModel,
  fresh: FreshWeights | undefined,
) {
  const { weights } = await importPretrained(ops, {
    tensors: tensorsOf(file),
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
