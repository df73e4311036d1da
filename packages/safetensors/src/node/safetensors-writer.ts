import { arrayKind } from '../array-kind.js';
import { SafetensorsError, show } from '../errors.js';
import type { TensorEntry } from '../header.js';
import { checkedInput, layOutHeader, type SafetensorsDescription } from '../serialize.js';
import { createAtomicFile } from './atomic-file.js';

export interface SafetensorsWriterInput {
  /** The dtype and shape of each tensor of the file, by name. */
  readonly tensors: ReadonlyMap<string, SafetensorsDescription> | { readonly [name: string]: SafetensorsDescription };
  readonly metadata?: { readonly [name: string]: string };
}

/** An unfinished safetensors file; only the tensor that is being written is in memory. */
export interface SafetensorsWriter {
  /** The tensors in the order of their bytes, which is the most efficient order for writing. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /**
   * Writes a tensor; tensors may be in any order, each once. `data` is complete or in consecutive parts. Writes must
   * not overlap in time.
   *
   * @throws SafetensorsError `TENSOR_MISSING` for a name that was not declared; `NAME_INVALID` for one that is already
   * written; `SHAPE_INVALID` for data whose length does not match dtype and shape; `FILE_SYSTEM`.
   */
  write(name: string, data: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /** Finishes the file. Throws `TENSOR_MISSING` and removes the file if a tensor has not been written. */
  commit(): Promise<void>;
  /** Removes the unfinished file; an existing file at the path is not changed. No effect after `commit`. */
  discard(): Promise<void>;
}

/**
 * Creates a safetensors file whose tensors are written one at a time, for models that do not fit into memory. The file
 * is byte-identical to that of `writeSafetensorsFile` and written atomically (`createAtomicFile`).
 */
export async function createSafetensorsWriter(path: string, input: SafetensorsWriterInput): Promise<SafetensorsWriter> {
  const { start, entries } = layOutHeader(checkedInput(input), input.metadata);
  const file = await createAtomicFile(path);
  const missing = new Set(entries.keys());
  try {
    await file.write(start);
  } catch (error) {
    await file.discard();
    throw error;
  }
  return {
    entries,
    discard: () => file.discard(),
    async write(name, data) {
      const entry = entries.get(name);
      if (entry === undefined) {
        throw new SafetensorsError('TENSOR_MISSING', `The tensor ${show(name)} was not declared for "${path}".`, {
          subject: name,
          value: name,
          remedy: 'Declare every tensor with its dtype and shape when creating the writer.',
        });
      }
      if (!missing.delete(name)) {
        throw new SafetensorsError('NAME_INVALID', `The tensor ${show(name)} is already written.`, {
          subject: name,
          value: name,
          remedy: 'Write each tensor once.',
        });
      }
      try {
        await writeParts(name, entry, data);
      } catch (error) {
        missing.add(name);
        throw error;
      }
    },
    async commit() {
      const [name] = missing;
      if (name !== undefined) {
        await file.discard();
        throw new SafetensorsError('TENSOR_MISSING', `The tensor ${show(name)} of "${path}" has not been written.`, {
          subject: name,
          value: missing.size,
          remedy: 'Write every declared tensor before commit.',
        });
      }
      await file.commit();
    },
  };

  async function writeParts(
    name: string,
    { dtype, shape, begin, end }: TensorEntry,
    data: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    let position = begin;
    const refuse = (bytes: number) => {
      const takes = end - begin;
      throw new SafetensorsError(
        'SHAPE_INVALID',
        `${show(name)} has ${bytes} bytes, but ${dtype} of shape [${shape}] takes ${takes}.`,
        {
          subject: name,
          value: bytes,
          remedy: 'Use exactly the bytes of the elements of the shape.',
        },
      );
    };
    for await (const part of arrayKind(data) === 'Uint8Array'
      ? [data as Uint8Array]
      : (data as Exclude<typeof data, Uint8Array>)) {
      // Before the write, so that no tensor overwrites the next.
      if (position + part.length > end) refuse(position - begin + part.length);
      await file.write(part, start.length + position);
      position += part.length;
    }
    if (position !== end) refuse(position - begin);
  }
}
