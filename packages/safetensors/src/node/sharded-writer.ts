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
  /** Most bytes of tensors in a file; a larger tensor has one to itself. */
  readonly maxShardBytes: number;
}

/** A model in several files under way. */
export interface ShardedSafetensorsWriter extends SafetensorsWriter {
  /** Where each tensor goes, file after file. */
  readonly entries: ReadonlyMap<string, ShardEntry>;
  /** The files of the tensors, by name; one, named as the path, where all fit. */
  readonly files: readonly string[];
}

type Description = readonly [string, SafetensorsDescription];

/**
 * Begins a model split over files of at most `maxShardBytes` of tensors, in the order given:
 * `model-00001-of-00003.safetensors` and so on beside `path` (`model.safetensors`), and `model.safetensors.index.json`,
 * as transformers has them. Where one file is enough, it is `path` itself, without an index.
 *
 * The index is written last, once every file is whole and on the disk, and an old one is removed before the first file
 * is replaced: a killed process leaves no index, or one whose files are all there, and never one over files of two
 * models. Files of an older model under other names stay.
 *
 * @throws SafetensorsError as `createSafetensorsWriter`; `INVALID_ARGUMENT` for a size that is no positive integer.
 */
export async function createShardedSafetensorsWriter(
  path: string,
  { maxShardBytes, ...input }: ShardedSafetensorsWriterInput,
): Promise<ShardedSafetensorsWriter> {
  if (!Number.isSafeInteger(maxShardBytes) || maxShardBytes < 1) {
    throw new SafetensorsError('INVALID_ARGUMENT', `maxShardBytes is ${show(maxShardBytes)}.`, {
      subject: 'maxShardBytes',
      value: maxShardBytes,
      remedy: 'Give a positive number of bytes, such as 5e9.',
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
      // A name that was not announced is the first file's to refuse.
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
          remedy: 'Write every tensor that was announced before commit.',
        });
      }
      const index = `${path}.index.json`;
      try {
        await rm(index, { force: true }).catch((error) => Promise.reject(fileError('write', index, error)));
        for (const writer of writers) await writer.commit();
        if (files.length === 1) return;
        // A single file there would be read as the model.
        await rm(path, { force: true }).catch((error) => Promise.reject(fileError('write', path, error)));
        await writeFileAtomic(index, indexText(entries, input.metadata));
      } catch (error) {
        await discard();
        throw error;
      }
    },
  };
}

/** In the order given, so that what is used together stays together. */
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
