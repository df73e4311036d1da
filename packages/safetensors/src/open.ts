import { SafetensorsError } from './errors.js';
import { lengthBytes, parseHeader, parseHeaderLength, type SafetensorsMetadata, type TensorEntry } from './header.js';
import type { SafetensorsTensor } from './parse.js';

/** A source with random access: a file on disk, a Blob, byte ranges of a file on a server. */
export interface SafetensorsSource {
  /** Name in error messages. */
  readonly name: string;
  /** Total size in bytes. */
  readonly size: number;
  /** Reads `length` bytes from `position`, within the size, into new memory. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** An open file whose header is read and checked, and whose tensors are read one at a time. */
export interface SafetensorsFile {
  readonly metadata: SafetensorsMetadata;
  /** The tensors of the file, in the order of their bytes. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Reads one tensor into new memory. Reads may overlap in time. */
  read(name: string): Promise<SafetensorsTensor>;
  /** Closes the file. Can be called repeatedly. */
  close(): Promise<void>;
}

/**
 * Reads only the header of a file, as strictly as `parseSafetensors`, so that tensors can be read one by one. The
 * source is closed if this fails, and by `close`.
 *
 * @throws SafetensorsError, and errors of the source.
 */
export async function openSafetensors(source: SafetensorsSource): Promise<SafetensorsFile> {
  const { name: sourceName, size } = source;
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await source.close();
  };
  try {
    const headerLength = parseHeaderLength(await readExactly(source, 0, Math.min(size, lengthBytes)), size);
    const dataStart = lengthBytes + headerLength;
    const header = await readExactly(source, lengthBytes, headerLength);
    const { metadata, entries } = parseHeader(header, size - dataStart);
    return {
      metadata,
      entries,
      close,
      async read(name) {
        if (closed) {
          throw new SafetensorsError('INVALID_ARGUMENT', `"${sourceName}" is closed.`, {
            subject: sourceName,
            remedy: 'Read before close, or open the file again.',
          });
        }
        const entry = entries.get(name);
        if (entry === undefined) throw missing(sourceName, name, entries.size);
        const data = await readExactly(source, dataStart + entry.begin, entry.end - entry.begin);
        return { dtype: entry.dtype, shape: entry.shape, data };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export function missing(file: string, name: string, count: number): SafetensorsError {
  return new SafetensorsError('TENSOR_MISSING', `"${file}" has no tensor "${name}".`, {
    subject: name,
    value: name,
    remedy: `Use one of its ${count} tensors, listed in entries.`,
  });
}

async function readExactly(source: SafetensorsSource, position: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(position, length);
  if (bytes.length === length) return bytes;
  throw new SafetensorsError('TRUNCATED', `"${source.name}" was truncated while it was read.`, {
    subject: source.name,
    value: position + bytes.length,
    remedy: 'Another program writes to it. Read it again when that has finished.',
  });
}

/** The part of a `Blob` (or `File`) that is used here: browsers and Node have it. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * Opens a Blob, such as a file selected by a user, and reads only its header.
 *
 * @param name name in error messages. Default: the name of a File, or `blob`.
 */
export async function openSafetensorsBlob(blob: BlobLike, name?: string): Promise<SafetensorsFile> {
  const called = name ?? (blob as { readonly name?: unknown }).name;
  return await openSafetensors({
    name: typeof called === 'string' ? called : 'blob',
    size: blob.size,
    async read(position, length) {
      try {
        return new Uint8Array(await blob.slice(position, position + length).arrayBuffer());
      } catch (cause) {
        throw new SafetensorsError('FILE_SYSTEM', `Could not read "${String(called ?? 'blob')}".`, {
          subject: String(called ?? 'blob'),
          remedy: 'The file was changed or removed, or does not fit into memory. Select it again.',
          cause,
        });
      }
    },
    close: async () => undefined,
  });
}
