import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { dequantize, quantize } from '@lmd/mx-formats';
import { openSafetensorsFile } from '@lmd/safetensors/node';
import { latestCheckpoint, withFileErrors } from '@lmd/training/node';
import { type ModelFile, type ModelFiles, openModel } from '../model-file.js';
import { indexSuffix, type TensorFile, type TensorFileParts, tensorFile } from '../tensor-file.js';
import { readJson } from './json.js';

const fileName = 'model.safetensors';

/**
 * The model file for a path: the file or index itself, or the one in the folder of a run or of a model of transformers.
 *
 * @throws LmdError `FILE_SYSTEM` if there is none.
 */
export function modelFilePath(given: string): string {
  const path = resolve(given);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(path, fileName) : path;
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

/**
 * Opens a safetensors file, or the index of a sharded model with all its files.
 *
 * @throws LmdError `DATA_CORRUPT` naming the file that is damaged, truncated or inconsistent with the index;
 *   SafetensorsError `FILE_SYSTEM`.
 */
export function openTensorFile(path: string): Promise<TensorFile> {
  return tensorFile(partsAt(path));
}

/**
 * Opens the model of a path (`modelFilePath`): of lmd, packed ones included, or of transformers or timm. Weights are
 * read one at a time.
 */
export function openModelFile(given: string): Promise<ModelFile> {
  const path = modelFilePath(given);
  const folder = dirname(path);
  const files: ModelFiles = {
    ...partsAt(path),
    codec: { quantize, dequantize },
    async json(name) {
      const beside = join(folder, name);
      return existsSync(beside) ? readJson(beside) : undefined;
    },
    async checkpoint({ optimizer }) {
      // Of the folder of an optimizer, or of a run, whose model is that of its first optimizer.
      const own = await latestCheckpoint(join(folder, 'checkpoints'));
      if (own !== undefined || optimizer === undefined) return own;
      return latestCheckpoint(join(folder, optimizer.name, 'checkpoints'));
    },
  };
  return openModel(files);
}

function partsAt(path: string): TensorFileParts {
  return {
    name: path,
    open: (file) => openSafetensorsFile(file === undefined ? path : join(dirname(path), file)),
    index: () => withFileErrors('read', path, () => readFile(path, 'utf8')),
  };
}
