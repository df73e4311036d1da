import { arrayKind } from '../array-kind.js';
import { createAtomicFile } from './atomic-file.js';

/**
 * Text (as UTF-8), bytes, or parts that are written in sequence, so that a large file need not be assembled first.
 */
export type FileContents = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file atomically (`createAtomicFile`): to a temporary file in the same folder, which is flushed to the disk
 * and renamed to `path`; then the folder is flushed if the system supports it. On failure the temporary file is removed
 * and the old file is not changed.
 *
 * @throws SafetensorsError `FILE_SYSTEM`, naming the path and the remedy.
 */
export async function writeFileAtomic(path: string, contents: FileContents): Promise<void> {
  const file = await createAtomicFile(path);
  try {
    for await (const part of partsOf(contents)) await file.write(part);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function partsOf(contents: FileContents): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof contents === 'string') return [new TextEncoder().encode(contents)];
  return arrayKind(contents) === 'Uint8Array'
    ? [contents as Uint8Array]
    : (contents as Exclude<FileContents, string | Uint8Array>);
}
