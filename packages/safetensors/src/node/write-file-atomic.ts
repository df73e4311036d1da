import { arrayKind } from '../array-kind.js';
import { createAtomicFile } from './atomic-file.js';

/**
 * Text (as UTF-8), bytes, or parts that are written one after the other, so that a large file need not be put together
 * first.
 */
export type FileContents = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file whole or not at all (`createAtomicFile`): into a new file in the same folder, which is flushed to the
 * disk and then renamed over `path`, after which the folder is flushed too where the system allows. On failure the new
 * file is removed and the old one is untouched.
 *
 * @throws SafetensorsError `FILE_SYSTEM`, naming the path and what to do.
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
