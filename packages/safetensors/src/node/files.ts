import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SafetensorsError } from '../errors.js';
import { openSafetensors, type SafetensorsFile } from '../open.js';
import { parseSafetensors, type Safetensors } from '../parse.js';
import { layOut, type SafetensorsInput } from '../serialize.js';
import { openShards, parseShardIndex, type ShardedSafetensors } from '../shards.js';
import { fileError } from './file-errors.js';
import { writeFileAtomic } from './write-file-atomic.js';

/**
 * Writes a safetensors file atomically (`writeFileAtomic`): the bytes of `serializeSafetensors`, without a second copy
 * in memory.
 */
export async function writeSafetensorsFile(path: string, input: SafetensorsInput): Promise<void> {
  const { start, data } = layOut(input);
  await writeFileAtomic(path, [start, ...data]);
}

/** Reads a whole file; as strict as `parseSafetensors`. The tensors are views of one buffer. */
export async function readSafetensorsFile(path: string): Promise<Safetensors> {
  return await withFile(path, async (file, size) => parseSafetensors(await readExactly(file, path, 0, size)));
}

/**
 * Opens a file and reads only its header, so that tensors can be read one by one. Call `close` at the end.
 */
export async function openSafetensorsFile(path: string): Promise<SafetensorsFile> {
  const file = await open(path, 'r').catch((error) => Promise.reject(fileError('open', path, error)));
  let size: number;
  try {
    size = await sizeOf(file, path);
  } catch (error) {
    await file.close();
    throw fileError('read', path, error);
  }
  return await openSafetensors({
    name: path,
    size,
    read: (position, length) =>
      readExactly(file, path, position, length).catch((error) => Promise.reject(fileError('read', path, error))),
    close: () => file.close(),
  });
}

/**
 * Opens a sharded model: `path` is its index, such as `model.safetensors.index.json`, and the files are in the same
 * folder. Call `close` at the end.
 *
 * @throws SafetensorsError naming the index or the file that is missing, damaged, or inconsistent with the index.
 */
export async function openShardedSafetensors(path: string): Promise<ShardedSafetensors> {
  const text = await readFile(path, 'utf8').catch((error) => Promise.reject(fileError('read', path, error)));
  return await openShards(parseShardIndex(text, path), (file) => openSafetensorsFile(join(dirname(path), file)));
}

async function withFile<T>(path: string, body: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await body(file, await sizeOf(file, path));
  } catch (error) {
    throw fileError('read', path, error);
  } finally {
    await file?.close();
  }
}

async function sizeOf(file: FileHandle, path: string): Promise<number> {
  const stat = await file.stat();
  if (stat.isFile()) return stat.size;
  throw new SafetensorsError('FILE_SYSTEM', `"${path}" is not a regular file.`, {
    subject: path,
    remedy: 'Use a file, not a folder or a device.',
  });
}

async function readExactly(file: FileHandle, path: string, position: number, length: number): Promise<Uint8Array> {
  const bytes = allocate(path, length);
  let offset = 0;
  while (offset < length) {
    // Operating systems read at most 2 GiB at once.
    const { bytesRead } = await file.read(bytes, offset, Math.min(length - offset, 2 ** 30), position + offset);
    if (bytesRead === 0) {
      throw new SafetensorsError('TRUNCATED', `"${path}" was truncated while it was read.`, {
        subject: path,
        value: position + offset,
        remedy: 'Another program writes to it. Read it again when that has finished.',
      });
    }
    offset += bytesRead;
  }
  return bytes;
}

function allocate(path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new SafetensorsError('FILE_SYSTEM', `The ${length} bytes of "${path}" do not fit into memory.`, {
      subject: path,
      value: length,
      remedy: 'Open it with openSafetensorsFile and read one tensor at a time.',
      cause,
    });
  }
}
