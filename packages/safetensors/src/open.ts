import { SafetensorsError } from './errors.js';
import { lengthBytes, parseHeader, parseHeaderLength, type SafetensorsMetadata, type TensorEntry } from './header.js';
import type { SafetensorsTensor } from './parse.js';

/** Bytes that can be read anywhere: a file on a disk, a Blob, ranges of a file on a server. */
export interface SafetensorsSource {
  /** As an error names it. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** The `length` bytes from `position` on, which lie within the size, in memory of their own. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
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

/**
 * Reads the header of a file alone, as strictly as `parseSafetensors`, so that tensors larger than memory in sum can be
 * read one by one. The source is closed where that fails, and by `close`.
 *
 * @throws SafetensorsError, and what the source throws.
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
  return new SafetensorsError('TENSOR_MISSING', `"${file}" holds no tensor "${name}".`, {
    subject: name,
    value: name,
    remedy: `It holds ${count} tensors, named in entries.`,
  });
}

async function readExactly(source: SafetensorsSource, position: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(position, length);
  if (bytes.length === length) return bytes;
  throw new SafetensorsError('TRUNCATED', `"${source.name}" became shorter while it was read.`, {
    subject: source.name,
    value: position + bytes.length,
    remedy: 'Something else writes to it: read it again when that has finished.',
  });
}

/** The part of a `Blob` (or `File`) that is used here: browsers and Node have it. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * Opens a Blob, such as a file that a person chose in a page, without reading more than its header.
 *
 * @param name as an error names it. Default: a File's own name, or `blob`.
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
          remedy: 'The file behind it was changed or is gone, or does not fit in memory: choose it again.',
          cause,
        });
      }
    },
    close: async () => undefined,
  });
}
