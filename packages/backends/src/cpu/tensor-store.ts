import { type BackendMemory, type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';
import type { Arena } from './arena.js';

/** Storage in the arena, shared by the handles that `reshape` makes of one another. */
interface Block {
  readonly address: number;
  readonly bytes: number;
  handles: number;
}

class CpuTensor implements Tensor {
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

/** Makes and frees handles on blocks of the arena, and counts what live ones hold. Every dtype takes 4 bytes an element. */
export class TensorStore {
  readonly #arena: Arena;
  #tensors = 0;
  #closed = false;
  #bytes = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** A tensor with undefined contents. It may grow the memory, which detaches views. */
  allocate(shape: readonly number[], dtype: DType): Tensor {
    if (this.#closed) throw closedBackend();
    const bytes = 4 * sizeOf(shape);
    const address = this.#arena.allocate(bytes);
    this.#tensors++;
    this.#bytes += bytes;
    return new CpuTensor(shape, dtype, this, { address, bytes, handles: 0 });
  }

  /** Another handle on the same storage. */
  share(x: Tensor, shape: readonly number[], dtype: DType = x.dtype): Tensor {
    const block = this.#blockOf(x);
    this.#tensors++;
    return new CpuTensor(shape, dtype, this, block);
  }

  /** Where the contents begin, in bytes. */
  address(x: Tensor): number {
    return this.#blockOf(x).address;
  }

  free(x: Tensor): void {
    const block = this.#blockOf(x);
    (x as CpuTensor).block = undefined;
    this.#tensors--;
    if (--block.handles > 0) return;
    this.#bytes -= block.bytes;
    this.#arena.release(block.address, block.bytes);
  }

  /** Makes every later use an error. */
  close(): void {
    this.#closed = true;
  }

  memory(): BackendMemory {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  #blockOf(x: Tensor): Block {
    if (this.#closed) throw closedBackend();
    if (!(x instanceof CpuTensor) || x.store !== this) {
      throw new LmdError('INVALID_ARGUMENT', 'This tensor was not made by this cpu backend.', {
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

function closedBackend(): LmdError {
  return new LmdError('BACKEND_FAILURE', 'This cpu backend was closed.', {
    subject: 'backend',
    remedy: 'Make another with createCpuBackend.',
  });
}
