import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type ImagePreprocessing, isLmdError } from '@lmd/core';
import { exportPretrained, type PretrainedModel, vit } from '@lmd/models';
import { isSafetensorsError, type SafetensorsTensor, serializeSafetensors, tensorFrom } from '@lmd/safetensors';
import { afterAll } from 'vitest';
import { describeInMetadata, type ModelDescription } from '../src/description.js';

export type Tensors = { [name: string]: SafetensorsTensor };

/** Weights of a model from a seed, by our names. */
export async function initialTensors(model: PretrainedModel, seed = 1): Promise<Tensors> {
  const ops = createOperations(createReferenceBackend());
  const tensors: Tensors = {};
  for (const [name, tensor] of Object.entries(model.initialize(ops, seed))) {
    tensors[name] = tensorFrom((await ops.read(tensor)) as Float32Array, tensor.shape);
  }
  return tensors;
}

/** A model file of lmd as bytes. */
export async function ownModel(model: PretrainedModel, described: Partial<ModelDescription> = {}): Promise<Uint8Array> {
  const { architecture, config } = model;
  const metadata = describeInMetadata({ architecture, config, ...described } as ModelDescription);
  return serializeSafetensors({ tensors: await initialTensors(model), metadata });
}

/** A folder of a model in the layout of another library. `json` is the text of `config.json`, or settings of it. */
export async function writeExported(
  folder: string,
  model: PretrainedModel,
  layout: 'transformers' | 'timm',
  json: object | string = {},
): Promise<string> {
  const ops = createOperations(createReferenceBackend());
  const exported = exportPretrained(ops, model, model.initialize(ops, 1), { layout });
  const tensors: Tensors = {};
  for (const [name, { shape, read }] of Object.entries(exported.tensors))
    tensors[name] = tensorFrom(await read(), shape);
  const config = typeof json === 'string' ? json : JSON.stringify({ ...exported.config, ...json });
  writeTensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  writeFileSync(join(folder, 'config.json'), config);
  return folder;
}

export function writeTensors(path: string, tensors: Tensors, metadata: { [name: string]: string } = {}): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, serializeSafetensors({ tensors, metadata }));
  return path;
}

/** A folder for the tests of one file, removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-inference-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** `fine`, or the code of the typed error; any other error goes through. */
export async function outcome(read: () => Promise<unknown>): Promise<string> {
  try {
    await read();
    return 'fine';
  } catch (error) {
    if (isLmdError(error) || isSafetensorsError(error)) return error.code;
    throw error;
  }
}

/** A ViT of 8 × 8 pixels and three classes. */
export const smallVit = (channels = 3) =>
  vit({ imageSize: 8, channels, classes: 3, patchSize: 4, width: 16, depth: 1, heads: 2 });

/** How its pictures are prepared. */
export const preprocessing: ImagePreprocessing = {
  height: 8,
  width: 8,
  channels: 3,
  fit: 'crop',
  cropFraction: 1,
  interpolation: 'bilinear',
  mean: [0.5, 0.4, 0.3],
  standardDeviation: [0.2, 0.25, 0.3],
  orientation: 'exif',
};
