import { type BackendMemory, type DType, LmdError, type Tensor } from '@lmd/core';

/** Storage of a backend, shared by the handles that `reshape` makes of one another. */
export interface Block {
  /** What `memory()` counts for it, while a handle lives. */
  readonly bytes: number;
  /** Live handles: 0 in a new block. */
  handles: number;
}

class Handle<B extends Block, Type extends DType = DType> implements Tensor<Type> {
  readonly shape: readonly number[];
  readonly dtype: Type;
  /** Which backend made it. */
  readonly store: HandleStore<B>;
  block: B | undefined;

  constructor(shape: readonly number[], dtype: Type, store: HandleStore<B>, block: B) {
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.store = store;
    this.block = block;
  }
}

/** Makes, checks and frees the tensors of one backend, which are handles on blocks, and counts what live ones hold. */
export abstract class HandleStore<B extends Block> {
  readonly #backend: string;
  #tensors = 0;
  #bytes = 0;
  /** Handles made by the operation in progress. */
  #made: Handle<B>[] | undefined;

  /** @param backend the backend's name in messages: "cpu" */
  constructor(backend: string) {
    this.#backend = backend;
  }

  /** Another handle on the same storage. */
  share<Type extends DType>(x: Tensor<Type>, shape: readonly number[]): Tensor<Type>;
  /** The same as another dtype, which the backend stores alike. */
  share<Type extends DType>(x: Tensor, shape: readonly number[], dtype: Type): Tensor<Type>;
  share(x: Tensor, shape: readonly number[], dtype: DType = x.dtype): Tensor {
    return this.handle(this.blockOf(x), shape, dtype);
  }

  free(x: Tensor): void {
    const block = this.blockOf(x);
    (x as Handle<B>).block = undefined;
    this.#tensors--;
    if (--block.handles > 0) return;
    this.#bytes -= block.bytes;
    this.release(block);
  }

  /**
   * The same operations, which are done whole or not at all: where one throws, as without memory, what it made until
   * then is freed.
   */
  whole<Operations extends object>(operations: Operations): Operations {
    const entries = Object.entries(operations).map(([name, operation]) => [
      name,
      (...args: readonly unknown[]) =>
        this.#attempt(() => (operation as (...args: readonly unknown[]) => unknown)(...args)),
    ]);
    return Object.fromEntries(entries) as Operations;
  }

  #attempt<Result>(operation: () => Result): Result {
    const made: Handle<B>[] = [];
    const before = this.#made;
    this.#made = made;
    try {
      return operation();
    } catch (error) {
      for (const handle of made) if (handle.block !== undefined) this.free(handle);
      throw error;
    } finally {
      this.#made = before;
      before?.push(...made);
    }
  }

  memory(): BackendMemory {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  /** A new handle on a block. A block without a handle counts no memory: it may be one that is kept for later. */
  protected handle<Type extends DType>(block: B, shape: readonly number[], dtype: Type): Tensor<Type> {
    this.#tensors++;
    if (block.handles++ === 0) this.#bytes += block.bytes;
    const handle = new Handle(shape, dtype, this, block);
    this.#made?.push(handle);
    return handle;
  }

  /** @throws LmdError `INVALID_ARGUMENT` for a tensor of another backend, `TENSOR_DISPOSED` for a freed one */
  protected blockOf(x: Tensor): B {
    if (!(x instanceof Handle) || x.store !== this) {
      throw new LmdError('INVALID_ARGUMENT', `This tensor was not created by this ${this.#backend} backend.`, {
        subject: 'tensor',
        value: x,
        remedy: 'Read it from its own backend and create it on this one with fromData.',
      });
    }
    if (x.block === undefined) {
      throw new LmdError('TENSOR_DISPOSED', `A tensor of shape [${x.shape}] was used after it was disposed.`, {
        subject: 'tensor',
        value: x.shape,
        remedy: 'Dispose of a tensor only after its last use.',
      });
    }
    return x.block as B;
  }

  /** Gives back what a block holds. Its last handle was freed. */
  protected abstract release(block: B): void;
}
