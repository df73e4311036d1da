import { type EagerOperations, LmdError, type NamedTensors, type PackedMatrix } from '@lmd/core';
import {
  contractionAxes,
  describePretrained,
  type Gpt2Config,
  gpt2,
  type LayoutName,
  layoutOfTensors,
  type PackedModel,
  type PretrainedModel,
  packWeight,
  type VitConfig,
  vit,
} from '@lmd/models';
import type { FormatName } from '@lmd/mx-formats';
import { type ModelDescription, modelFormat, parseDescription, tokenizerIn } from './description.js';
import { foreignPackedModel, foreignWeights } from './foreign-weights.js';
import type { FreshWeights } from './fresh-weights.js';
import { type BlockCodec, type ModelTensors, modelTensors } from './model-tensors.js';
import type { StoredCheckpoint } from './posterior-source.js';
import { type TensorFileParts, tensorFile } from './tensor-file.js';

/** An open model file. */
export interface ModelFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The library whose tensor names are used; undefined if the model is neither a GPT-2 nor a ViT. */
  readonly layout: LayoutName | undefined;
  /** Notes for the user about how the weights are read. */
  readonly notes: readonly string[];
  /**
   * Describes the model from the file, or from the `config.json` of a model of another library; undefined if neither
   * has a description. Throws an `LmdError` for an unsupported variant.
   */
  describe(): ModelDescription | undefined;
  /** The weights of `model` by lmd's names, owned by the caller. Throws an `LmdError` if the file has another model. */
  weights(ops: EagerOperations, model: PretrainedModel, fresh?: FreshWeights): Promise<NamedTensors>;
  /** The block format in which `lmd quantize` packed the matrices; absent if they are not packed. */
  readonly packedFormat?: string | undefined;
  /**
   * The weights of a GPT-2, owned by the caller, with its matrices as packed codes: those of the file, or quantized to
   * `format` one by one, so that at most one is in f32 at a time. Absent if the file does not support this.
   */
  packedWeights?(ops: EagerOperations, model: PretrainedModel, format?: FormatName): Promise<PackedModel>;
  /** The newest checkpoint of the run that trained the model, for its posterior. Absent if the file has no run. */
  checkpoint?(): Promise<StoredCheckpoint | undefined>;
  close(): Promise<void>;
}

/** Where the files of a model are. */
export interface ModelFiles extends TensorFileParts {
  /** Default: without WebAssembly, and only decoding. */
  readonly codec?: BlockCodec;
  /** The parsed JSON file of that name beside the model; undefined where there is none. */
  json(name: string): Promise<unknown>;
  /** The newest checkpoint of the run that trained the model, for its posterior; undefined where there is none. */
  checkpoint(description: ModelDescription): Promise<StoredCheckpoint | undefined>;
}

/** Opens a model of lmd, packed ones included, or one of transformers or timm. Weights are read one at a time. */
export async function openModel(files: ModelFiles): Promise<ModelFile> {
  const path = files.name;
  const file = await tensorFile(files);
  try {
    const { metadata } = file;
    const tensors = modelTensors(file, path, files.codec);
    const isOurs = metadata.format === modelFormat;
    const beside = (name: string) => (isOurs ? undefined : files.json(name));
    const [config, processor] = [await beside('config.json'), await beside('preprocessor_config.json')];
    const layout = isOurs ? 'lmd' : layoutOfTensors(tensors.names)?.layout;
    const describe = () =>
      isOurs
        ? parseDescription(metadata, path)
        : describeForeign({ config, processor, metadata, path }, tensors.shapes, layout);
    return {
      path,
      metadata,
      layout,
      notes: tensors.notes,
      describe,
      weights: (ops, model, fresh) =>
        isOurs ? ownWeights(ops, tensors, path, model, fresh) : foreignWeights(ops, tensors, model, fresh),
      packedFormat: tensors.packedFormat,
      packedWeights: (ops, model, format) => packedModel(ops, { tensors, path, isOurs }, model, format),
      async checkpoint() {
        const description = describe();
        return description === undefined ? undefined : files.checkpoint(description);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The network of a description; undefined if there is none, it lacks a size, or it is a third party's. */
export function modelOf(described: ModelDescription | undefined): PretrainedModel | undefined {
  if (described === undefined || described.architecture === 'module') return undefined;
  if (described.architecture === 'gpt2') return gpt2(described.config as Gpt2Config);
  // The number of heads is in no tensor, and not in every config.json of timm.
  if (described.config.heads === undefined || described.config.imageSize === undefined) return undefined;
  return vit(described.config as VitConfig);
}

/** A model of another library. */
function describeForeign(
  { config, processor, metadata, path }: ForeignFiles,
  shapes: ReadonlyMap<string, readonly number[]>,
  layout: LayoutName | undefined,
): ModelDescription | undefined {
  const described = describePretrained(config, shapes, processor);
  if (described === undefined) return undefined;
  const { options, ...known } = described;
  const tokenizer = known.architecture === 'gpt2' ? foreignTokenizer(metadata, path, layout) : undefined;
  return { ...known, config: options, ...(tokenizer === undefined ? {} : { tokenizer }) } as ModelDescription;
}

interface ForeignFiles {
  /** The parsed `config.json` and `preprocessor_config.json`; undefined where there is none. */
  readonly config: unknown;
  readonly processor: unknown;
  readonly metadata: Readonly<Record<string, string>>;
  readonly path: string;
}

/** Files of transformers do not name the tokenizer, except those that lmd wrote: GPT-2 models use that of GPT-2. */
function foreignTokenizer(metadata: ForeignFiles['metadata'], path: string, layout: LayoutName | undefined) {
  return tokenizerIn(metadata, path) ?? (layout === 'transformers' ? { name: 'gpt2' } : undefined);
}

async function packedModel(
  ops: EagerOperations,
  { tensors, path, isOurs }: { readonly tensors: ModelTensors; readonly path: string; readonly isOurs: boolean },
  model: PretrainedModel,
  format: FormatName | undefined,
): Promise<PackedModel> {
  const stored = tensors.packedFormat;
  if (stored !== undefined && format !== undefined && format !== stored) {
    throw new LmdError('INVALID_ARGUMENT', `The format is ${format}, but ${path} is packed in ${stored}.`, {
      subject: 'format',
      value: format,
      remedy: 'Omit it, or use the original file: quantizing twice has a larger error than quantizing once.',
    });
  }
  if (isOurs) return ownPacked(ops, tensors, path, model, format);
  return foreignPackedModel(ops, tensors, model, format);
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

function mismatch(path: string, weight: string, problem: string, model: string): LmdError {
  return new LmdError('CHECKPOINT_MISMATCH', `${path}: the weight ${weight} ${problem}.`, {
    subject: weight,
    value: path,
    remedy: `The file must contain a ${model}: configure the model as it was trained.`,
  });
}
