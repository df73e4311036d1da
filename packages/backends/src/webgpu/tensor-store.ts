import { type DType, sizeOf, type Tensor } from '@lmd/core';
import { type Block, HandleStore } from '../handle-store.js';
import type { Queue } from './queue.js';
import type { Storage } from './storage.js';

/** Storage that several blocks are parts of. */
interface Joint {
  readonly storage: Storage;
  parts: number;
}

/** The storage of a tensor, or what will write it. Its contents never change: one id, one contents. */
export interface DeviceBlock extends Block {
  readonly id: number;
  /** Undefined while what writes it is put off. */
  storage: Storage | undefined;
  /** Records what writes it, or throws why that failed. */
  write?: (() => void) | undefined;
  joint?: Joint;
  /** Put-off work that reads it: it outlives its handles until that is recorded. */
  pins: number;
  /** A constant outlives its handles, for the next one of its value. */
  kept: boolean;
}

/** Constants that are kept; beyond it, those that no handle uses are let go. */
const constantLimit = 256;

/** Handles on storage of the device. Every dtype takes 4 bytes an element. */
export class TensorStore extends HandleStore<DeviceBlock> {
  readonly #queue: Queue;
  readonly #constants = new Map<number, DeviceBlock>();
  #blocks = 0;

  constructor(queue: Queue) {
    super('WebGPU');
    this.#queue = queue;
  }

  /** A tensor with undefined contents. */
  allocate<Type extends DType>(shape: readonly number[], dtype: Type): Tensor<Type> {
    return this.adopt(this.#queue.allocate(4 * sizeOf(shape)), shape, dtype);
  }

  /** A tensor on storage that is this store's from now on. */
  adopt<Type extends DType>(storage: Storage, shape: readonly number[], dtype: Type): Tensor<Type> {
    return this.handle(this.#block(storage.bytes, storage), shape, dtype);
  }

  /** One element of the given bits: made once, since immutable constants of equal bits can share storage. */
  constant<Type extends DType>(
    word: number,
    shape: readonly number[],
    dtype: Type,
    fill: (out: Tensor<Type>) => void,
  ): Tensor<Type> {
    const known = this.#constants.get(word >>> 0);
    if (known !== undefined) return this.handle(known, shape, dtype);
    if (this.#constants.size >= constantLimit) this.#dropConstants();
    const made = this.allocate(shape, dtype);
    try {
      fill(made);
    } catch (error) {
      this.free(made);
      throw error;
    }
    const block = this.blockOf(made);
    block.kept = true;
    this.#constants.set(word >>> 0, block);
    return made;
  }

  /**
   * Where the contents of `x` are, once everything recorded has run. Records what writes them, where that was put off.
   */
  storage(x: Tensor): Storage {
    return this.#written(this.blockOf(x));
  }

  /** Holds the contents of `x` for work that is put off, until `unpin`. */
  pin(x: Tensor): DeviceBlock {
    const block = this.blockOf(x);
    this.#written(block);
    block.pins++;
    return block;
  }

  unpin(block: DeviceBlock): void {
    if (--block.pins === 0 && block.handles === 0) this.release(block);
  }

  /** A tensor that is written later: by `write`, at its first use at the latest, which calls `settle` or `refuse`. */
  promise<Type extends DType>(
    shape: readonly number[],
    dtype: Type,
    write: () => void,
  ): { tensor: Tensor<Type>; block: DeviceBlock } {
    const block = this.#block(4 * sizeOf(shape), undefined);
    block.write = write;
    return { tensor: this.handle(block, shape, dtype), block };
  }

  /** Gives promised tensors their parts of one storage, which is freed with the last of them. */
  settle(storage: Storage, parts: readonly { readonly block: DeviceBlock; readonly at: number }[]): void {
    const joint: Joint = { storage, parts: 0 };
    for (const { block, at } of parts) {
      block.write = undefined;
      // Freed before it was written.
      if (block.handles === 0) continue;
      joint.parts++;
      block.joint = joint;
      block.storage = { pages: storage.pages, bytes: block.bytes, offset: storage.offset + at };
    }
    if (joint.parts === 0) this.#queue.memory.release(storage);
  }

  /** Makes every later use of promised tensors throw `error`. */
  refuse(blocks: readonly DeviceBlock[], error: unknown): void {
    for (const block of blocks) {
      block.write = () => {
        throw error;
      };
    }
  }

  protected override release(block: DeviceBlock): void {
    if (block.kept || block.pins > 0 || block.storage === undefined) return;
    if (block.joint === undefined) this.#queue.memory.release(block.storage);
    else if (--block.joint.parts === 0) this.#queue.memory.release(block.joint.storage);
  }

  #block(bytes: number, storage: Storage | undefined): DeviceBlock {
    return { id: this.#blocks++, bytes, storage, handles: 0, pins: 0, kept: false };
  }

  #written(block: DeviceBlock): Storage {
    block.write?.();
    return block.storage!;
  }

  #dropConstants(): void {
    for (const [word, block] of this.#constants) {
      this.#constants.delete(word);
      block.kept = false;
      if (block.handles === 0) this.release(block);
    }
  }
}
