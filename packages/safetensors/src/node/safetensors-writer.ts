import { arrayKind } from '../array-kind.js';
import { SafetensorsError, show } from '../errors.js';
import type { TensorEntry } from '../header.js';
import { checkedInput, layOutHeader, type SafetensorsDescription } from '../serialize.js';
import { createAtomicFile } from './atomic-file.js';

export interface SafetensorsWriterInput {
  /** What the file will hold: the dtype and shape of each tensor, by name. */
  readonly tensors: ReadonlyMap<string, SafetensorsDescription> | { readonly [name: string]: SafetensorsDescription };
  readonly metadata?: { readonly [name: string]: string };
}

/** A safetensors file under way, of which no more is held in memory than the tensor that is being written. */
export interface SafetensorsWriter {
  /** Where each tensor goes, in the order of their bytes: the order in which a disk writes them best. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /**
   * Writes a tensor, in any order, each once; `data` whole, or in parts that follow one another. One write after
   * another.
   *
   * @throws SafetensorsError `TENSOR_MISSING` for a name that was not announced; `NAME_INVALID` for one that is written
   *   already; `SHAPE_INVALID` for data that is not as long as dtype and shape say; `FILE_SYSTEM`.
   */
  write(name: string, data: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /** Puts the file in its place. Throws `TENSOR_MISSING`, and leaves nothing, where a tensor has not been written. */
  commit(): Promise<void>;
  /** Removes what was written; what stood at the path is untouched. Does nothing after `commit`. */
  discard(): Promise<void>;
}

/**
 * Begins a safetensors file whose tensors come one after another, as from a device whose memory this machine's would
 * not hold twice. The file is that of `writeSafetensorsFile` to the byte, and comes about whole or not at all
 * (`createAtomicFile`).
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
        throw new SafetensorsError('TENSOR_MISSING', `The tensor ${show(name)} was not announced for "${path}".`, {
          subject: name,
          value: name,
          remedy: 'Name every tensor with its dtype and shape when the writer is made.',
        });
      }
      if (!missing.delete(name)) {
        throw new SafetensorsError('NAME_INVALID', `The tensor ${show(name)} is written a second time.`, {
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
          remedy: 'Write every tensor that was announced before commit.',
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
        `${show(name)} has ${bytes} bytes; ${dtype} of shape [${shape}] takes ${takes}.`,
        {
          subject: name,
          value: bytes,
          remedy: 'Give the bytes of exactly the elements of the shape.',
        },
      );
    };
    for await (const part of arrayKind(data) === 'Uint8Array'
      ? [data as Uint8Array]
      : (data as Exclude<typeof data, Uint8Array>)) {
      // Before the write, so that no tensor reaches into the next.
      if (position + part.length > end) refuse(position - begin + part.length);
      await file.write(part, start.length + position);
      position += part.length;
    }
    if (position !== end) refuse(position - begin);
  }
}
