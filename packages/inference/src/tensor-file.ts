import { LmdError } from '@lmd/core';
import {
  isSafetensorsError,
  openShards,
  parseShardIndex,
  type SafetensorsFile,
  type SafetensorsTensor,
  type TensorEntry,
} from '@lmd/safetensors';

/** File name suffix of the index that transformers writes for a sharded model. */
export const indexSuffix = '.index.json';

/** A safetensors file, or several with an index, read tensor by tensor. */
export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  read(name: string): Promise<SafetensorsTensor>;
  close(): Promise<void>;
}

/** Opens the tensors of a file, or of several by the text of their index. */
export interface TensorFileParts {
  /** The name or path, as errors call it. An index ends in `indexSuffix`. */
  readonly name: string;
  /** Opens the file itself, or one that the index names. */
  open(file?: string): Promise<SafetensorsFile>;
  /** The text of the index. */
  index(): Promise<string>;
}

/**
 * Opens a safetensors file, or all files of a sharded model.
 *
 * @throws LmdError `DATA_CORRUPT` naming the file that is damaged, truncated or inconsistent with the index;
 *   SafetensorsError `FILE_SYSTEM`.
 */
export async function tensorFile({ name, open, index }: TensorFileParts): Promise<TensorFile> {
  try {
    const isIndex = name.endsWith(indexSuffix);
    const file = await (isIndex ? openShards(parseShardIndex(await index(), name), open) : open());
    return {
      metadata: Object.fromEntries(Object.entries(file.metadata).map(([key, value]) => [key, String(value)])),
      entries: file.entries,
      read: (tensor) => file.read(tensor).catch((error) => Promise.reject(worded(name, error))),
      close: () => file.close(),
    };
  } catch (error) {
    throw worded(name, error);
  }
}

function worded(name: string, error: unknown): unknown {
  if (!isSafetensorsError(error) || error.code === 'FILE_SYSTEM') return error;
  // Its message ends with its remedy.
  return new LmdError('DATA_CORRUPT', `${name} is not a valid safetensors file: ${error.message}`, {
    subject: name,
    cause: error,
  });
}
