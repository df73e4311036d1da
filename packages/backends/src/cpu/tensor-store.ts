import { type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';
import { type Block, HandleStore } from '../handle-store.js';
import type { Arena } from './arena.js';

interface ArenaBlock extends Block {
  readonly address: number;
}

/** Handles on blocks of the arena. Every dtype takes 4 bytes an element. */
export class TensorStore extends HandleStore<ArenaBlock> {
  readonly #arena: Arena;
  #closed = false;

  constructor(arena: Arena) {
    super('cpu');
    this.#arena = arena;
  }

  /** A tensor with undefined contents. It may grow the memory, which detaches views. */
  allocate<Type extends DType>(shape: readonly number[], dtype: Type): Tensor<Type> {
    if (this.#closed) throw closedBackend();
    const bytes = 4 * sizeOf(shape);
    return this.handle({ address: this.#arena.allocate(bytes), bytes, handles: 0 }, shape, dtype);
  }

  /** Where the contents begin, in bytes. */
  address(x: Tensor): number {
    return this.blockOf(x).address;
  }

  /** Makes every later use throw. */
  close(): void {
    this.#closed = true;
  }

  protected override blockOf(x: Tensor): ArenaBlock {
    if (this.#closed) throw closedBackend();
    return super.blockOf(x);
  }

  protected override release({ address, bytes }: ArenaBlock): void {
    this.#arena.release(address, bytes);
  }
}

function closedBackend(): LmdError {
  return new LmdError('BACKEND_FAILURE', 'This cpu backend was closed.', {
    subject: 'backend',
    remedy: 'Create a new one with createCpuBackend.',
  });
}
