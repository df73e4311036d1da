import { LmdError } from '@lmd/core';
import { isSafetensorsError, type SafetensorsTensor, type TensorEntry } from '@lmd/safetensors';
import { openSafetensorsFile, openShardedSafetensors } from '@lmd/safetensors/node';

/** File name suffix of the index that transformers writes for a sharded model. */
export const indexSuffix = '.index.json';

/** A safetensors file, or several with an index, read tensor by tensor. */
export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  read(name: string): Promise<SafetensorsTensor>;
  close(): Promise<void>;
}

/**
 * Opens a safetensors file, or the index of a sharded model with all its files.
 *
 * @throws LmdError `DATA_CORRUPT` naming the file that is damaged, truncated or inconsistent with the index;
 *   SafetensorsError `FILE_SYSTEM`.
 */
export async function openTensorFile(path: string): Promise<TensorFile> {
  try {
    const isIndex = path.endsWith(indexSuffix);
    const file = await (isIndex ? openShardedSafetensors(path) : openSafetensorsFile(path));
    return {
      metadata: Object.fromEntries(Object.entries(file.metadata).map(([key, value]) => [key, String(value)])),
      entries: file.entries,
      read: (name) => file.read(name).catch((error) => Promise.reject(worded(path, error))),
      close: () => file.close(),
    };
  } catch (error) {
    throw worded(path, error);
  }
}

function worded(path: string, error: unknown): unknown {
  if (!isSafetensorsError(error) || error.code === 'FILE_SYSTEM') return error;
  return new LmdError('DATA_CORRUPT', `${path} is not a valid safetensors file: ${error.message}`, {
    subject: path,
    remedy: 'Download or write it again.',
    cause: error,
  });
}
