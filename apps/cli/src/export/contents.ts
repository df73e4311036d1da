import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EagerOperations, NamedTensors } from '@lmd/core';
import { tokenizerFiles } from '@lmd/data/text';
import type { ModelFile } from '@lmd/inference';
import { exportPretrained, type PretrainedModel } from '@lmd/models';
import { tensorFrom } from '@lmd/safetensors';
import { createShardedSafetensorsWriter } from '@lmd/safetensors/node';
import { withFileErrors } from '@lmd/training/node';
import { knowledgeOf, type ModelFileKnowledge } from './knowledge.js';

/** The files of an export. */
export interface Contents {
  /** Number of tensors, and their bytes. */
  readonly tensors: number;
  readonly bytes: number;
  /** Text files by name. */
  readonly texts: { readonly [name: string]: string };
  /** Writes the files of the weights into a folder, and returns their names. */
  writeWeights(folder: string): Promise<readonly string[]>;
}

export interface ReadableTensor {
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

const product = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1);

export const jsonText = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** One safetensors file or several, and text files beside them. */
export function safetensorsContents(
  tensors: { readonly [name: string]: ReadableTensor },
  {
    file = 'model.safetensors',
    metadata,
    maxShardBytes,
    texts,
  }: {
    readonly file?: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly maxShardBytes: number;
    readonly texts: Contents['texts'];
  },
): Contents {
  const entries = Object.entries(tensors);
  return {
    tensors: entries.length,
    bytes: entries.reduce((sum, [, { shape }]) => sum + 4 * product(shape), 0),
    texts,
    async writeWeights(folder) {
      const writer = await createShardedSafetensorsWriter(join(folder, file), {
        tensors: new Map(entries.map(([name, { shape }]) => [name, { dtype: 'F32', shape }] as const)),
        metadata,
        maxShardBytes,
      });
      try {
        for (const name of writer.entries.keys()) {
          const { read, shape } = tensors[name]!;
          await writer.write(name, tensorFrom(await read(), shape).data);
        }
        await writer.commit();
      } catch (error) {
        await writer.discard();
        throw error;
      }
      return writer.files.length > 1 ? [...writer.files, `${file}.index.json`] : writer.files;
    },
  };
}

/** Writes all files of an export into an existing folder, and returns their names. */
export async function writeContents(folder: string, { texts, writeWeights }: Contents): Promise<readonly string[]> {
  const weights = await writeWeights(folder);
  for (const [name, text] of Object.entries(texts)) {
    await withFileErrors('write', join(folder, name), () => writeFile(join(folder, name), text));
  }
  return [...weights, ...Object.keys(texts)];
}

/** A model in the layout of lmd, transformers or timm. */
export async function modelContents(
  ops: EagerOperations,
  model: PretrainedModel,
  weights: NamedTensors,
  file: ModelFile,
  { layout, maxShardBytes }: { readonly layout: 'lmd' | 'transformers' | 'timm'; readonly maxShardBytes: number },
): Promise<Contents> {
  const knowledge = await knowledgeOf(file, model);
  if (layout === 'lmd') {
    const tensors = Object.entries(weights).map(([name, weight]) => [
      name,
      { shape: weight.shape, read: async () => (await ops.read(weight)) as Float32Array },
    ]);
    const { metadata } = knowledge;
    return safetensorsContents(Object.fromEntries(tensors), { metadata, maxShardBytes, texts: {} });
  }
  const options = { layout, ...describedBy(model, knowledge) };
  const { tensors, config, files } = exportPretrained(ops, model, weights, options);
  const texts = { ...jsonFiles({ 'config.json': config, ...files }), ...(await textsOf(model, knowledge)) };
  // Ours, by which `lmd generate` knows the tokenizer of a model of characters.
  const { tokenizer } = knowledge.metadata;
  const metadata = { format: 'pt', ...(tokenizer === undefined ? {} : { tokenizer }) };
  return safetensorsContents(tensors, { metadata, maxShardBytes, texts });
}

/** What `@lmd/models` takes of it. */
export function describedBy(model: PretrainedModel, { classNames, preprocessing, tokenizer }: ModelFileKnowledge) {
  return model.architecture === 'vit' ? { classNames, preprocessing } : { endOfText: tokenizer?.endOfText };
}

export const jsonFiles = (files: { readonly [name: string]: unknown }) =>
  Object.fromEntries(Object.entries(files).map(([name, value]) => [name, jsonText(value)]));

/** The files of the tokenizer of a GPT-2; none if it is not known. */
export async function textsOf(model: PretrainedModel, { tokenizer }: ModelFileKnowledge): Promise<Contents['texts']> {
  if (model.architecture !== 'gpt2' || tokenizer?.description === undefined) return {};
  return await tokenizerFiles(tokenizer.description, { contextLength: model.config.contextLength });
}
