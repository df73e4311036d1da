import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { byteLengthOf } from '../dtypes.js';
import { SafetensorsError, show } from '../errors.js';
import { checkedInput, type SafetensorsDescription } from '../serialize.js';
import type { ShardEntry } from '../shards.js';
import { fileError } from './file-errors.js';
import { createSafetensorsWriter, type SafetensorsWriter, type SafetensorsWriterInput } from './safetensors-writer.js';
import { writeFileAtomic } from './write-file-atomic.js';

export interface ShardedSafetensorsWriterInput extends SafetensorsWriterInput {
  /** Maximum bytes of tensors per file; a larger tensor has its own file. */
  readonly maxShardBytes: number;
}

/** An unfinished model in several files. */
export interface ShardedSafetensorsWriter extends SafetensorsWriter {
  /** The tensors in the order of the files. */
  readonly entries: ReadonlyMap<string, ShardEntry>;
  /** The file of each tensor, by name; a single file with the name of `path` if all fit. */
  readonly files: readonly string[];
}

type Description = readonly [string, SafetensorsDescription];

/**
 * Creates a model sharded over files of at most `maxShardBytes` of tensors, in the given order:
 * `model-00001-of-00003.safetensors` and so on in the folder of `path` (`model.safetensors`), and
 * `model.safetensors.index.json`, as in transformers. If one file is sufficient, it is `path`, without an index.
 *
 * The index is written last, when every file is complete and on the disk, and an old index is removed before the first
 * file is replaced. A killed process therefore leaves either no index or one with all its files, and never an index of
 * files of two models. Files of an older model with other names are kept.
 *
 * @throws SafetensorsError as `createSafetensorsWriter`; `INVALID_ARGUMENT` for a size that is not a positive integer.
 */
export async function createShardedSafetensorsWriter(
  path: string,
  { maxShardBytes, ...input }: ShardedSafetensorsWriterInput,
): Promise<ShardedSafetensorsWriter> {
  if (!Number.isSafeInteger(maxShardBytes) || maxShardBytes < 1) {
    throw new SafetensorsError('INVALID_ARGUMENT', `maxShardBytes is ${show(maxShardBytes)}.`, {
      subject: 'maxShardBytes',
      value: maxShardBytes,
      remedy: 'Use a positive number of bytes, such as 5e9.',
    });
  }
  const groups = shardsOf(checkedInput<SafetensorsDescription>(input), maxShardBytes);
  const folder = dirname(path);
  const files = groups.map((_, index) =>
    groups.length === 1 ? basename(path) : shardName(path, index, groups.length),
  );
  const writers: SafetensorsWriter[] = [];
  const discard = async () => {
    await Promise.all(writers.map((writer) => writer.discard()));
  };
  try {
    for (const [index, tensors] of groups.entries()) {
      const contents = { ...input, tensors: new Map(tensors) };
      writers.push(await createSafetensorsWriter(join(folder, files[index]!), contents));
    }
  } catch (error) {
    await discard();
    throw error;
  }
  const entries = new Map<string, ShardEntry>();
  const writerOf = new Map<string, SafetensorsWriter>();
  const missing = new Set<string>();
  for (const [index, writer] of writers.entries()) {
    for (const [name, entry] of writer.entries) {
      entries.set(name, { ...entry, file: files[index]! });
      writerOf.set(name, writer);
      missing.add(name);
    }
  }
  return {
    entries,
    files,
    discard,
    async write(name, data) {
      // The first file throws the error for an undeclared name.
      await (writerOf.get(name) ?? writers[0]!).write(name, data);
      missing.delete(name);
    },
    async commit() {
      const [name] = missing;
      if (name !== undefined) {
        await discard();
        throw new SafetensorsError('TENSOR_MISSING', `The tensor ${show(name)} of "${path}" has not been written.`, {
          subject: name,
          value: missing.size,
          remedy: 'Write every declared tensor before commit.',
        });
      }
      const index = `${path}.index.json`;
      try {
        await rm(index, { force: true }).catch((error) => Promise.reject(fileError('write', index, error)));
        for (const writer of writers) await writer.commit();
        if (files.length === 1) return;
        // An existing single file would be read as the model.
        await rm(path, { force: true }).catch((error) => Promise.reject(fileError('write', path, error)));
        await writeFileAtomic(index, indexText(entries, input.metadata));
      } catch (error) {
        await discard();
        throw error;
      }
    },
  };
}

/** In the given order, so that tensors that are used together are in the same file. */
function shardsOf(tensors: readonly Description[], maxShardBytes: number): Description[][] {
  const groups: Description[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const [, { dtype, shape }] = tensor;
    const size = byteLengthOf(dtype, shape);
    if (bytes > 0 && bytes + size > maxShardBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(tensor);
    bytes += size;
  }
  return groups;
}

function shardName(path: string, index: number, count: number): string {
  const number = (value: number) => String(value).padStart(5, '0');
  return `${basename(path).replace(/\.safetensors$/, '')}-${number(index + 1)}-of-${number(count)}.safetensors`;
}

function indexText(entries: ReadonlyMap<string, ShardEntry>, metadata: SafetensorsWriterInput['metadata']): string {
  const total = [...entries.values()].reduce((sum, { begin, end }) => sum + end - begin, 0);
  const files = [...entries].map(([name, { file }]) => [name, file]).sort(([a], [b]) => (a! < b! ? -1 : 1));
  const index = { metadata: { ...metadata, total_size: total }, weight_map: Object.fromEntries(files) };
  return `${JSON.stringify(index, null, 2)}\n`;
}
