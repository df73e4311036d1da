import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createOperations, type EagerOperations, type NamedTensors } from '@lmd/core';
import { exportPretrained, type PretrainedModel } from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { createShardedSafetensorsWriter, writeFileAtomic } from '@lmd/safetensors/node';
import { claimRunFolder } from '@lmd/training/node';
import { openBackend } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { packedKey } from '../model-file/packed.js';
import { type ModelFile, modelOf, openModelFile } from '../model-file/weights.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { count, fileSize } from '../output/units.js';
import { runLayout } from '../run/layout.js';
import { choose } from './choose.js';

export interface ExportCommandOptions {
  readonly out: string;
  readonly layout: string;
  readonly optimizer?: string;
  readonly shardSize?: string;
  readonly json?: boolean;
}

export const exportLayouts = ['transformers', 'timm', 'lmd'] as const;
type LayoutName = (typeof exportLayouts)[number];

interface Contents {
  readonly tensors: {
    readonly [name: string]: { readonly shape: readonly number[]; read(): Promise<Float32Array> };
  };
  readonly metadata: Readonly<Record<string, string>>;
  /** For `config.json`. */
  readonly config: object | null;
}

/** `lmd export`: writes a model under the names and in the shapes of another library, or in ours, in one file or several. */
export async function exportCommand(path: string, options: ExportCommandOptions, terminal: Terminal): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const layout = choose('--layout', options.layout, exportLayouts);
  const maxShardBytes = options.shardSize === undefined ? Number.MAX_SAFE_INTEGER : byteCount(options.shardSize);
  const file = await openModelFile(
    options.optimizer === undefined ? path : runLayout(path).trial(options.optimizer).model,
  );
  try {
    const model = modelOf(file);
    if (model === undefined) {
      throw new UsageError('INVALID_ARGUMENT', `${file.path} does not say which network it holds.`, {
        subject: 'model',
        value: file.path,
        remedy: 'Name a run, a model that lmd wrote, or a folder with a config.json of transformers.',
      });
    }
    const backend = await openBackend('cpu');
    const ops = createOperations(backend);
    try {
      const weights = await file.weights(ops, model);
      const contents = contentsOf(ops, model, weights, layout, file);
      const folder = resolve(options.out);
      await claimRunFolder(folder);
      const files = await write(folder, contents, maxShardBytes);
      ops.dispose(weights);
      const bytes = Object.values(contents.tensors).reduce((sum, { shape }) => sum + 4 * product(shape), 0);
      const tensors = Object.keys(contents.tensors).length;
      const result = { type: 'exported', input: file.path, folder, layout, tensors, bytes, files };
      terminal.out.write(
        options.json
          ? `${JSON.stringify(result)}\n`
          : `${terminal.colours.green('wrote')} ${files.map((name) => join(options.out, name)).join('\n      ')}\n${count(tensors)} tensors, ${fileSize(bytes)}\n`,
      );
    } finally {
      backend.close?.();
    }
  } finally {
    await file.close();
  }
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
  // Weights that were packed are values again.
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
  maxShardBytes: number,
): Promise<string[]> {
  const model = 'model.safetensors';
  const configPath = join(folder, 'config.json');
  const described = Object.entries(tensors).map(([name, { shape }]) => [name, { dtype: 'F32', shape }] as const);
  const writer = await createShardedSafetensorsWriter(join(folder, model), {
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
  const index = writer.files.length > 1 ? [`${model}.index.json`] : [];
  return [...writer.files, ...index, ...(config === null ? [] : ['config.json'])];
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
    remedy: 'Give a number of bytes, such as 500MB, 2GiB or 1000000.',
  });
}
