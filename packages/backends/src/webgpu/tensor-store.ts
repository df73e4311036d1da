import { type BackendMemory, type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';
import type { Queue, Storage } from './queue.js';

/** Storage on the device, shared by the handles that `reshape` makes of one another. */
interface Block {
  readonly storage: Storage;
  handles: number;
}

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
    this.#tensors++;
    this.#bytes += storage.bytes;
    return new WebgpuTensor(shape, dtype, this, { storage, handles: 0 });
  }

  /** Another handle on the same storage. */
  share(x: Tensor, shape: readonly number[], dtype: DType = x.dtype): Tensor {
    const block = this.#blockOf(x);
    this.#tensors++;
    return new WebgpuTensor(shape, dtype, this, block);
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
    this.#queue.release(block.storage);
  }

  memory(): BackendMemory {
    return { tensors: this.#tensors, bytes: this.#bytes };
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
