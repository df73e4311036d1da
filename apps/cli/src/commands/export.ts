import { dirname, join, resolve } from 'node:path';
import { createOperations, type EagerOperations, type NamedTensors } from '@lmd/core';
import { modelOf, modelTensors } from '@lmd/inference';
import { openModelFile, openTensorFile, readJson } from '@lmd/inference/node';
import {
  type AdapterConfigJson,
  type ExportAdaptersOptions,
  exportAdapters,
  mergeAdapters,
  type PretrainedModel,
} from '@lmd/models';
import { openBackend } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { type Contents, jsonFiles, modelContents, safetensorsContents, writeContents } from '../export/contents.js';
import { refuseExisting, writeNewFolder } from '../export/new-folder.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { count, fileSize } from '../output/units.js';
import { configurationOf } from '../run/run.js';
import { buildModel } from '../trial/build-model.js';
import { openModelOrRun } from '../trial/run-model.js';
import { openRunWeights, usualWeights } from '../trial/run-weights.js';
import { openTrainedModel } from '../trial/trained-model.js';
import { byteCount } from './byte-count.js';
import type { exportLayouts } from './choices.js';
import { choose } from './choose.js';

export interface ExportCommandOptions {
  readonly out: string;
  readonly layout: (typeof exportLayouts)[number];
  readonly adapters?: string;
  readonly optimizer?: string;
  readonly shardSize?: string;
  /** Of a GPT-2 in ONNX. */
  readonly cache: boolean;
  readonly json?: boolean;
}

type LayoutName = Exclude<(typeof exportLayouts)[number], 'peft'>;

/** The files of adapters. */
const adapterNames = { tensors: 'adapter_model.safetensors', config: 'adapter_config.json' };

/** What is written, and where it comes from. */
interface Subject {
  readonly input: string;
  readonly contents: Contents;
  dispose(): void;
}

/**
 * `lmd export`: writes a model, or the adapters of a run, in the layout of another library or of lmd.
 */
export async function exportCommand(path: string, options: ExportCommandOptions, terminal: Terminal): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const { layout } = options;
  refuseExisting(resolve(options.out));
  const maxShardBytes =
    options.shardSize === undefined ? Number.MAX_SAFE_INTEGER : byteCount(options.shardSize, '--shard-size');
  refuseUnused(options);
  const backend = await openBackend('cpu');
  const ops = createOperations(backend);
  try {
    const subject = await (layout === 'peft'
      ? openAdapters(ops, path, options)
      : openModel(ops, path, { ...options, layout, maxShardBytes }, terminal));
    try {
      await writeSubject(subject, options, terminal);
    } finally {
      subject.dispose();
    }
  } finally {
    backend.close?.();
  }
}

/** Options that a layout does not use. */
function refuseUnused({ layout, adapters, shardSize, cache }: ExportCommandOptions): void {
  const refuse = (option: string, value: unknown, why: string) => {
    throw new UsageError('INVALID_ARGUMENT', `${option} and --layout ${layout} cannot be combined.`, {
      subject: option,
      value,
      remedy: `Use one of them. ${why}`,
    });
  };
  if (layout === 'peft' && adapters !== undefined) {
    const why = '--adapters merges adapters into a model, and --layout peft writes the adapters of a run.';
    refuse('--adapters', adapters, why);
  }
  if (shardSize !== undefined) {
    if (layout === 'peft') refuse('--shard-size', shardSize, 'PEFT reads adapters from one file.');
    if (layout === 'onnx') refuse('--shard-size', shardSize, 'ONNX has one file up to 2 GB of weights.');
  }
  if (!cache && layout !== 'onnx') refuse('--no-cache', cache, 'Only a model in ONNX has a cache.');
}

async function writeSubject(
  { input, contents }: Subject,
  { out, layout, json }: ExportCommandOptions,
  { out: output, colours }: Terminal,
): Promise<void> {
  const folder = resolve(out);
  const files = await writeNewFolder(folder, (temporary) => writeContents(temporary, contents));
  const { tensors, bytes } = contents;
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
  {
    optimizer,
    adapters,
    ...options
  }: ExportCommandOptions & {
    readonly layout: LayoutName;
    readonly maxShardBytes: number;
  },
  terminal: Terminal,
): Promise<Subject> {
  const file = await openModelOrRun(path, optimizer);
  try {
    const model = modelOf(file.describe());
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
    try {
      const { layout, maxShardBytes, cache } = options;
      const contents =
        layout === 'onnx'
          ? await (await import('../export/onnx-contents.js')).onnxContents(ops, model, weights, file, cache)
          : await modelContents(ops, model, weights, file, { layout, maxShardBytes });
      return { input: file.path, contents, dispose: () => ops.dispose(weights) };
    } catch (error) {
      ops.dispose(weights);
      throw error;
    }
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
  // Fine-tuning has given weights, which only models of lmd have.
  if (fineTuning?.lora === undefined || configured.kind === 'module') {
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
    const { adapted } = trained;
    const architecture = buildModel(configured, configuration.data);
    const newest = await openRunWeights(ops, run, configuration, trained, name, usualWeights(configuration));
    const weights = newest.weights({ seed, step: newest.step, sample: newest.samples });
    newest.dispose();
    const { tensors, config } = exportAdapters(ops, architecture, adapted!, weights, {
      ...(await baseOf(configured.weights!)),
      ...(architecture.architecture === 'gpt2' ? { layout: 'transformers' } : {}),
    });
    const contents = safetensorsContents(tensors, {
      file: adapterNames.tensors,
      metadata: { format: 'pt' },
      maxShardBytes: Number.MAX_SAFE_INTEGER,
      texts: jsonFiles({ [adapterNames.config]: config }),
    });
    return { input: run, contents, dispose: () => ops.dispose(weights) };
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
