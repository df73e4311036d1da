import { type BackendMemory, type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';
import type { Queue, Storage } from './queue.js';

/** Storage on the device, shared by the handles that `reshape` makes of one another. */
interface Block {
  readonly storage: Storage;
  handles: number;
  /** A constant outlives its handles, for the next one of its value. */
  kept: boolean;
}

/** Constants that are kept; beyond it, those that no handle uses are let go. */
const constantLimit = 256;

class WebgpuTensor implements Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Which backend made it. */
  readonly store: TensorStore;
  block: Block | undefined;

  constructor(shape: readonly number[], dtype: DType, store: TensorStore, block: Block) {
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.store = store;
    this.block = block;
    block.handles++;
  }
}

/** Makes and frees handles on storage of the device, and counts what live ones hold. Every dtype takes 4 bytes an element. */
export class TensorStore {
  readonly #queue: Queue;
  readonly #constants = new Map<number, Block>();
  #tensors = 0;
  #bytes = 0;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  /** A tensor with undefined contents. */
  allocate(shape: readonly number[], dtype: DType): Tensor {
    return this.adopt(this.#queue.allocate(4 * sizeOf(shape)), shape, dtype);
  }

  /** A tensor on storage that is this store's from now on. */
  adopt(storage: Storage, shape: readonly number[], dtype: DType): Tensor {
    return this.#handle(shape, dtype, { storage, handles: 0, kept: false });
  }

  /** One element of the given bits: made once, since immutable constants of equal bits can share storage. */
  constant(word: number, shape: readonly number[], dtype: DType, fill: (out: Tensor) => void): Tensor {
    const known = this.#constants.get(word >>> 0);
    if (known !== undefined) return this.#handle(shape, dtype, known);
    if (this.#constants.size >= constantLimit) this.#dropConstants();
    const made = this.allocate(shape, dtype);
    try {
      fill(made);
    } catch (error) {
      this.free(made);
      throw error;
    }
    const block = this.#blockOf(made);
    block.kept = true;
    this.#constants.set(word >>> 0, block);
    return made;
  }

  /** Another handle on the same storage. */
  share(x: Tensor, shape: readonly number[], dtype: DType = x.dtype): Tensor {
    return this.#handle(shape, dtype, this.#blockOf(x));
  }

  storage(x: Tensor): Storage {
    return this.#blockOf(x).storage;
  }

  free(x: Tensor): void {
    const block = this.#blockOf(x);
    (x as WebgpuTensor).block = undefined;
    this.#tensors--;
    if (--block.handles > 0) return;
    this.#bytes -= block.storage.bytes;
    if (!block.kept) this.#queue.release(block.storage);
  }

  memory(): BackendMemory {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  /** Memory is counted for what handles hold: a constant between two uses is not. */
  #handle(shape: readonly number[], dtype: DType, block: Block): Tensor {
    this.#tensors++;
    if (block.handles === 0) this.#bytes += block.storage.bytes;
    return new WebgpuTensor(shape, dtype, this, block);
  }

  #dropConstants(): void {
    for (const [word, block] of this.#constants) {
      this.#constants.delete(word);
      block.kept = false;
      if (block.handles === 0) this.#queue.release(block.storage);
    }
  }

  #blockOf(x: Tensor): Block {
    if (!(x instanceof WebgpuTensor) || x.store !== this) {
      throw new LmdError('INVALID_ARGUMENT', 'This tensor was not made by this WebGPU backend.', {
        subject: 'tensor',
        value: x,
        remedy: 'Read it from its own backend and make it here with fromData.',
      });
    }
    if (x.block === undefined) {
      throw new LmdError('TENSOR_DISPOSED', `A tensor of shape [${x.shape}] was used after it was freed.`, {
        subject: 'tensor',
        value: x,
        remedy: 'Free a tensor after its last use.',
      });
    }
    return x.block;
  }
}
