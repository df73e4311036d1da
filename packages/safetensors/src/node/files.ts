import { type FileHandle, open } from 'node:fs/promises';
import { SafetensorsError } from '../errors.js';
import { lengthBytes, parseHeader, parseHeaderLength, type SafetensorsMetadata, type TensorEntry } from '../header.js';
import { parseSafetensors, type Safetensors, type SafetensorsTensor } from '../parse.js';
import { layOut, type SafetensorsInput } from '../serialize.js';
import { fileError } from './file-errors.js';
import { writeFileAtomic } from './write-file-atomic.js';

/**
 * Writes a safetensors file atomically (`writeFileAtomic`): the bytes of `serializeSafetensors`, without holding them in memory a
 * second time.
 */
export async function writeSafetensorsFile(path: string, input: SafetensorsInput): Promise<void> {
  const { start, data } = layOut(input);
  await writeFileAtomic(path, [start, ...data]);
}

/** Reads a whole file; as strict as `parseSafetensors`. The tensors are views of one buffer. */
export async function readSafetensorsFile(path: string): Promise<Safetensors> {
  return await withFile(path, async (file, size) => parseSafetensors(await readExactly(file, path, 0, size)));
}

/** An open file whose header is read and checked, and whose tensors are read one at a time. */
export interface SafetensorsFile {
  readonly metadata: SafetensorsMetadata;
  /** What the file holds, in the order of its bytes. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** One tensor, with bytes of its own. Reads may run at the same time. */
  read(name: string): Promise<SafetensorsTensor>;
  /** Frees the file. Twice is no error. */
  close(): Promise<void>;
}

/** Opens a file and reads its header alone, so that tensors larger than memory in sum can be read one by one. Close it at the end. */
export async function openSafetensorsFile(path: string): Promise<SafetensorsFile> {
  const file = await open(path, 'r').catch((error) => Promise.reject(fileError('open', path, error)));
  try {
    const size = await sizeOf(file, path);
    const headerLength = parseHeaderLength(await readExactly(file, path, 0, Math.min(size, lengthBytes)), size);
    const dataStart = lengthBytes + headerLength;
    const { metadata, entries } = parseHeader(
      await readExactly(file, path, lengthBytes, headerLength),
      size - dataStart,
    );
    let closed = false;
    return {
      metadata,
      entries,
      async read(name) {
        if (closed) {
          throw new SafetensorsError('INVALID_ARGUMENT', `"${path}" is closed.`, {
            subject: path,
            remedy: 'Read before close, or open the file again.',
          });
        }
        const entry = entries.get(name);
        if (entry === undefined) {
          throw new SafetensorsError('TENSOR_MISSING', `"${path}" holds no tensor "${name}".`, {
            subject: name,
            value: name,
            remedy: `It holds ${entries.size} tensors, named in entries.`,
          });
        }
        const data = await readExactly(file, path, dataStart + entry.begin, entry.end - entry.begin);
        return { dtype: entry.dtype, shape: entry.shape, data };
      },
      async close() {
        if (closed) return;
        closed = true;
        await file.close();
      },
    };
  } catch (error) {
    await file.close();
    throw fileError('read', path, error);
  }
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
  throw new SafetensorsError('FILE_SYSTEM', `"${path}" is no regular file.`, {
    subject: path,
    remedy: 'Name a file, not a folder or a device.',
  });
}

async function readExactly(file: FileHandle, path: string, position: number, length: number): Promise<Uint8Array> {
  const bytes = allocate(path, length);
  let offset = 0;
  while (offset < length) {
    // Systems read at most 2 GiB at once.
    const { bytesRead } = await file.read(bytes, offset, Math.min(length - offset, 2 ** 30), position + offset);
    if (bytesRead === 0) {
      throw new SafetensorsError('TRUNCATED', `"${path}" became shorter while it was read.`, {
        subject: path,
        value: position + offset,
        remedy: 'Something else writes to it: read it again when that has finished.',
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
    throw new SafetensorsError('FILE_SYSTEM', `The ${length} bytes of "${path}" do not fit in memory at once.`, {
      subject: path,
      value: length,
      remedy: 'Open it with openSafetensorsFile and read one tensor at a time.',
      cause,
    });
  }
}
