import { SafetensorsError, type SafetensorsErrorCode, show } from './errors.js';
import type { TensorEntry } from './header.js';
import { HeaderScanner } from './header-scanner.js';
import { missing, type SafetensorsFile } from './open.js';
import type { SafetensorsTensor } from './parse.js';

/** The index of a sharded model, such as `model.safetensors.index.json`. */
export interface ShardIndex {
  /** Metadata, such as `total_size`. */
  readonly metadata: { readonly [name: string]: string | number | boolean | null };
  /** Name of the file of each tensor. */
  readonly fileOf: ReadonlyMap<string, string>;
}

/** A tensor of a sharded model, with its file and position. */
export interface ShardEntry extends TensorEntry {
  readonly file: string;
}

export interface ShardedSafetensors {
  readonly metadata: ShardIndex['metadata'];
  readonly entries: ReadonlyMap<string, ShardEntry>;
  /** Reads one tensor into new memory. Reads may overlap in time. */
  read(name: string): Promise<SafetensorsTensor>;
  /** Closes every file. Can be called repeatedly. */
  close(): Promise<void>;
}

/**
 * Parses an index: `metadata`, an object of plain values, and `weight_map`, the file of each tensor. As strict as for a
 * header: names must be unique, `__proto__` is rejected, and file names must not contain a folder. A byte order mark at
 * the beginning is ignored.
 *
 * @throws SafetensorsError, and no other error for any input.
 */
export function parseShardIndex(text: string, name = 'index'): ShardIndex {
  return inFile(name, () => {
    // RFC 8259 allows parsers to ignore a byte order mark, which some editors write.
    const scanner = new HeaderScanner(text.startsWith('\ufeff') ? text.slice(1) : text);
    const metadata: Record<string, string | number | boolean | null> = Object.create(null);
    let fileOf: Map<string, string> | undefined;
    scanner.object('the index', (key) => {
      if (key === 'metadata') {
        scanner.object('metadata', (field) => {
          metadata[field] = scanner.plainValue(`the value of ${show(field)} in metadata`);
        });
      } else if (key === 'weight_map') {
        const map = new Map<string, string>();
        scanner.object('weight_map', (tensor) => {
          map.set(tensor, checkFileName(tensor, scanner.string(`the file of ${show(tensor)}`)));
        });
        fileOf = map;
      } else {
        throw indexError(`The index has the unknown field ${show(key)}.`, key, 'Use only metadata and weight_map.');
      }
    });
    scanner.endOfText();
    if (fileOf === undefined)
      throw indexError('The index has no weight_map.', undefined, 'Add it: it maps each tensor to its file.');
    return { metadata, fileOf };
  });
}

/**
 * Opens every file of an index, and checks that they contain exactly the tensors of the index.
 *
 * @param open opens one file by its name in the index.
 * @throws SafetensorsError naming the file that is missing, damaged, or inconsistent with the index; all opened files
 * are closed.
 */
export async function openShards(
  index: ShardIndex,
  open: (file: string) => Promise<SafetensorsFile>,
): Promise<ShardedSafetensors> {
  const files = new Map<string, SafetensorsFile>();
  const close = async () => {
    await Promise.all([...files.values()].map((file) => file.close()));
  };
  try {
    for (const name of new Set(index.fileOf.values())) {
      files.set(name, await inFileAsync(name, () => open(name)));
    }
    const entries = new Map<string, ShardEntry>();
    for (const [tensor, name] of index.fileOf) {
      const entry = files.get(name)!.entries.get(tensor);
      if (entry === undefined) throw missing(name, tensor, files.get(name)!.entries.size);
      entries.set(tensor, { ...entry, file: name });
    }
    for (const [name, file] of files) {
      for (const tensor of file.entries.keys()) {
        if (index.fileOf.get(tensor) === name) continue;
        throw indexError(
          `"${name}" has the tensor ${show(tensor)}, which the index ` +
            `${index.fileOf.has(tensor) ? 'has in another file' : 'does not contain'}.`,
          tensor,
          'The files and the index do not belong together. Download them again.',
          name,
        );
      }
    }
    return {
      metadata: index.metadata,
      entries,
      close,
      async read(tensor) {
        const entry = entries.get(tensor);
        if (entry === undefined) throw missing('the index', tensor, entries.size);
        return await inFileAsync(entry.file, () => files.get(entry.file)!.read(tensor));
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rejects paths, with which an index could read any file of the machine. */
function checkFileName(tensor: string, file: string): string {
  if (file !== '' && file !== '.' && file !== '..' && !/[/\\\0]/.test(file)) return file;
  throw new SafetensorsError('NAME_INVALID', `The file of ${show(tensor)} is ${show(file)}.`, {
    subject: tensor,
    value: file,
    remedy: 'Use the name of a file in the folder of the index, without a path.',
  });
}

function indexError(message: string, value: unknown, remedy: string, subject = 'index'): SafetensorsError {
  return new SafetensorsError('HEADER_INVALID', message, { subject, value, remedy });
}

/** Adds the name of the file to an error. */
function named(file: string, error: unknown): unknown {
  if (!(error instanceof SafetensorsError) || error.message.includes(file)) return error;
  const code: SafetensorsErrorCode = error.code;
  return new SafetensorsError(code, `"${file}": ${error.message}`, { subject: file, value: error.value, cause: error });
}

function inFile<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw named(file, error);
  }
}

async function inFileAsync<T>(file: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw named(file, error);
  }
}
