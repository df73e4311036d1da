import { rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createOperations, type EagerOperations, type NamedTensors } from '@lmd/core';
import {
  type AdapterConfigJson,
  type ExportAdaptersOptions,
  exportAdapters,
  exportPretrained,
  mergeAdapters,
  type PretrainedModel,
} from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { createShardedSafetensorsWriter, writeFileAtomic } from '@lmd/safetensors/node';
import { claimRunFolder } from '@lmd/training/node';
import { openBackend } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { readJson } from '../model-file/json.js';
import { modelTensors } from '../model-file/model-tensors.js';
import { packedKey } from '../model-file/packed.js';
import { openTensorFile } from '../model-file/tensor-file.js';
import { type ModelFile, modelOf, openModelFile, writeNotes } from '../model-file/weights.js';
import { jsonLine } from '../output/json.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { count, fileSize } from '../output/units.js';
import { configurationOf } from '../run/run.js';
import { openModelOrRun } from '../trial/run-model.js';
import { openRunWeights, usualWeights } from '../trial/run-weights.js';
import { openTrainedModel } from '../trial/trained-model.js';
import { choose } from './choose.js';

export const exportLayouts = ['transformers', 'timm', 'lmd', 'peft'] as const;

export interface ExportCommandOptions {
  readonly out: string;
  readonly layout: (typeof exportLayouts)[number];
  readonly adapters?: string;
  readonly optimizer?: string;
  readonly shardSize?: string;
  readonly json?: boolean;
}

type LayoutName = Exclude<(typeof exportLayouts)[number], 'peft'>;

interface Contents {
  readonly tensors: {
    readonly [name: string]: { readonly shape: readonly number[]; read(): Promise<Float32Array> };
  };
  readonly metadata: Readonly<Record<string, string>>;
  readonly config: object | null;
}

interface Names {
  readonly tensors: string;
  /** File name of `config`. */
  readonly config: string;
}

const modelNames: Names = { tensors: 'model.safetensors', config: 'config.json' };
const adapterNames: Names = { tensors: 'adapter_model.safetensors', config: 'adapter_config.json' };

/** What is written, and where it comes from. */
interface Subject {
  readonly input: string;
  readonly contents: Contents;
  readonly names: Names;
  dispose(): void;
}

/**
 * `lmd export`: writes a model, or the adapters of a run, in the layout of another library or of lmd.
 */
export async function exportCommand(path: string, options: ExportCommandOptions, terminal: Terminal): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const { layout } = options;
  const maxShardBytes = options.shardSize === undefined ? Number.MAX_SAFE_INTEGER : byteCount(options.shardSize);
  if (layout === 'peft') refuseBesidePeft(options);
  const backend = await openBackend('cpu');
  const ops = createOperations(backend);
  try {
    const subject = await (layout === 'peft'
      ? openAdapters(ops, path, options)
      : openModel(ops, path, layout, options, terminal));
    try {
      await writeSubject(subject, layout, maxShardBytes, options, terminal);
    } finally {
      subject.dispose();
    }
  } finally {
    backend.close?.();
  }
}

function refuseBesidePeft({ adapters, shardSize }: ExportCommandOptions): void {
  for (const [option, value, why] of [
    [
      '--adapters',
      adapters,
      '--adapters merges adapters into a model, and --layout peft writes the adapters of a run.',
    ],
    ['--shard-size', shardSize, 'PEFT reads adapters from one file.'],
  ] as const) {
    if (value === undefined) continue;
    throw new UsageError('INVALID_ARGUMENT', `${option} and --layout peft cannot be combined.`, {
      subject: option,
      value,
      remedy: `Use one of them. ${why}`,
    });
  }
}

async function writeSubject(
  { input, contents, names }: Subject,
  layout: string,
  maxShardBytes: number,
  { out, json }: ExportCommandOptions,
  { out: output, colours }: Terminal,
): Promise<void> {
  const folder = resolve(out);
  await claimRunFolder(folder);
  const files = await write(folder, contents, names, maxShardBytes);
  const bytes = Object.values(contents.tensors).reduce((sum, { shape }) => sum + 4 * product(shape), 0);
  const tensors = Object.keys(contents.tensors).length;
  if (json) {
    output.write(jsonLine({ type: 'exported', input, folder, layout, tensors, bytes, files }));
    return;
  }
  const written = files.map((name) => join(out, name)).join('\n      ');
  output.write(`${colours.green('wrote')} ${written}\n${count(tensors)} tensors, ${fileSize(bytes)}\n`);
}

async function openModel(
  ops: EagerOperations,
  path: string,
  layout: LayoutName,
  { optimizer, adapters }: ExportCommandOptions,
  terminal: Terminal,
): Promise<Subject> {
  const file = await openModelOrRun(path, optimizer);
  try {
    const model = modelOf(file);
    if (model === undefined) {
      throw new UsageError('INVALID_ARGUMENT', `${file.path} has no description of its network.`, {
        subject: 'model',
        value: file.path,
        remedy:
          'Use a run, a model that lmd wrote, or a folder with a config.json of transformers or timm ' +
          '(for timm, with the number of heads).',
      });
    }
    writeNotes(file, terminal);
    const given = await file.weights(ops, model);
    const weights = adapters === undefined ? given : await withAdapters(ops, model, given, adapters);
    const contents = contentsOf(ops, model, weights, layout, file);
    return { input: file.path, contents, names: modelNames, dispose: () => ops.dispose(weights) };
  } finally {
    await file.close();
  }
}

/** Merges the adapters in a PEFT folder into the weights, and frees the given ones. */
async function withAdapters(
  ops: EagerOperations,
  model: PretrainedModel,
  base: NamedTensors,
  folder: string,
): Promise<NamedTensors> {
  const config = (await readJson(join(folder, adapterNames.config))) as AdapterConfigJson;
  const file = await openTensorFile(join(folder, adapterNames.tensors));
  try {
    const merged = await mergeAdapters(ops, model, base, { tensors: modelTensors(file, folder), config });
    ops.dispose(base);
    return merged;
  } finally {
    await file.close();
  }
}

/** The adapters of a run, from its newest checkpoint, without the model that they are on. */
async function openAdapters(ops: EagerOperations, path: string, options: ExportCommandOptions): Promise<Subject> {
  const run = resolve(path);
  const configuration = configurationOf(run);
  const { model: configured, fineTuning, optimizers, seed } = configuration;
  if (fineTuning?.lora === undefined) {
    throw new UsageError('INVALID_ARGUMENT', `--layout peft needs adapters, but ${path} has trained none.`, {
      subject: '--layout',
      value: 'peft',
      remedy: 'Use a run with fineTuning.lora, or export the whole model with another layout.',
    });
  }
  const names = optimizers.map(({ name }) => name);
  const name = options.optimizer === undefined ? names[0]! : choose('--optimizer', options.optimizer, names);
  const trained = await openTrainedModel(ops, configuration);
  try {
    const { architecture, adapted } = trained;
    const newest = await openRunWeights(ops, run, configuration, trained, name, usualWeights(configuration));
    const weights = newest.weights({ seed, step: newest.step, sample: newest.samples });
    newest.dispose();
    const { tensors, config } = exportAdapters(ops, architecture, adapted!, weights, {
      ...(await baseOf(configured.weights!)),
      ...(architecture.architecture === 'gpt2' ? { layout: 'transformers' } : {}),
    });
    const contents = { tensors, config, metadata: { format: 'pt' } };
    return { input: run, contents, names: adapterNames, dispose: () => ops.dispose(weights) };
  } finally {
    trained.dispose();
  }
}

/** The library of a model, and the folder that transformers loads. Models of lmd use timm, which has every ViT. */
async function baseOf(model: string): Promise<ExportAdaptersOptions> {
  const { path, layout, close } = await openModelFile(model);
  await close();
  return layout === 'transformers' ? { layout, baseModel: dirname(path) } : { layout: 'timm' };
}

const product = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1);

function contentsOf(
  ops: EagerOperations,
  model: PretrainedModel,
  weights: NamedTensors,
  layout: LayoutName,
  { metadata }: ModelFile,
): Contents {
  if (layout !== 'lmd') {
    const { tensors, config } = exportPretrained(ops, model, weights, { layout });
    return { tensors, config, metadata: { format: 'pt' } };
  }
  const tensors = Object.entries(weights).map(([name, weight]) => [
    name,
    { shape: weight.shape, read: async () => (await ops.read(weight)) as Float32Array },
  ]);
  // Packed weights have been unpacked.
  const { [packedKey]: _, format: __, ...kept } = metadata;
  const described = { architecture: model.architecture, config: JSON.stringify(model.config) };
  return {
    tensors: Object.fromEntries(tensors),
    config: null,
    metadata: { ...kept, ...described, format: 'lmd-model-v1' },
  };
}

async function write(
  folder: string,
  { tensors, metadata, config }: Contents,
  names: Names,
  maxShardBytes: number,
): Promise<string[]> {
  const configPath = join(folder, names.config);
  const described = Object.entries(tensors).map(([name, { shape }]) => [name, { dtype: 'F32', shape }] as const);
  const writer = await createShardedSafetensorsWriter(join(folder, names.tensors), {
    tensors: new Map(described),
    metadata,
    maxShardBytes,
  });
  try {
    for (const name of writer.entries.keys()) {
      const { read, shape } = tensors[name]!;
      await writer.write(name, tensorFrom(await read(), shape).data);
    }
    if (config !== null) await writeFileAtomic(configPath, `${JSON.stringify(config, null, 2)}\n`);
    await writer.commit();
  } catch (error) {
    await writer.discard();
    await rm(configPath, { force: true });
    throw error;
  }
  const index = writer.files.length > 1 ? [`${names.tensors}.index.json`] : [];
  return [...writer.files, ...index, ...(config === null ? [] : [names.config])];
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `500MB` as a number of bytes. */
function byteCount(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([KMG]i?B)?$/.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * units[unit ?? '']!);
  if (digits !== undefined && Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw new UsageError('INVALID_ARGUMENT', `--shard-size ${text} is not allowed.`, {
    subject: '--shard-size',
    value: text,
    remedy: 'Use a number of bytes, such as 500MB, 2GiB or 1000000.',
  });
}
