import { type BackendMemory, type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';
import type { Engine, EngineDType, TensorInfo, TfjsTensorLike } from './engine.js';

/** Storage in the engine, shared by the handles that `reshape` makes of one another. */
interface Buffer {
  readonly dataId: object;
  readonly bytes: number;
  handles: number;
  /** Where the storage is shared with the program around the adapter: a tensor of ours that keeps it alive, and frees it. */
  tensor?: TfjsTensorLike;
}

class TfjsTensor implements Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Which backend made it. */
  readonly store: Store;
  buffer: Buffer | undefined;

  constructor(shape: readonly number[], dtype: DType, store: Store, buffer: Buffer) {
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.store = store;
    this.buffer = buffer;
    buffer.handles++;
  }
}

/** TensorFlow.js has no unsigned bytes that all its engines store alike, so u8 lives in int32, at 4 bytes an element. */
export const engineDType: Readonly<Record<DType, 'float32' | 'int32'>> = { f32: 'float32', i32: 'int32', u8: 'int32' };

/** Makes and frees handles on the engine's storage, and counts what live ones hold. */
export class Store {
  readonly #engine: Engine;
  #tensors = 0;
  #bytes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A handle that owns `dataId`. */
  own(dataId: object, shape: readonly number[], dtype: DType): Tensor {
    const bytes = 4 * sizeOf(shape);
    this.#tensors++;
    this.#bytes += bytes;
    return new TfjsTensor(shape, dtype, this, { dataId, bytes, handles: 0 });
  }

  /** A handle on the storage of a `tf.Tensor`, which stays the caller's. */
  adopt(tensor: TfjsTensorLike, dtype: DType): Tensor {
    const handle = this.own(tensor.dataId, tensor.shape, dtype) as TfjsTensor;
    (handle.buffer as Buffer).tensor = this.#engine.shareTensor(tensor);
    return handle;
  }

  /** A `tf.Tensor` on the storage of `x`, which the caller disposes of; `x` stays as it is. */
  toTfjs(x: Tensor): TfjsTensorLike {
    const buffer = this.#bufferOf(x);
    buffer.tensor ??= this.#engine.tensorOn(buffer.dataId, x.shape, engineDType[x.dtype]);
    return this.#engine.shareTensor(buffer.tensor, x.shape);
  }

  /** Another handle on the same storage; `dtype` is one that the engine stores alike. */
  share(x: Tensor, shape: readonly number[], dtype: DType = x.dtype): Tensor {
    const buffer = this.#bufferOf(x);
    this.#tensors++;
    return new TfjsTensor(shape, dtype, this, buffer);
  }

  dataId(x: Tensor): object {
    return this.#bufferOf(x).dataId;
  }

  /** What a kernel is given for `x`, under another shape of the same size if one is named. */
  info(x: Tensor, shape: readonly number[] = x.shape): TensorInfo {
    const dtype: EngineDType = engineDType[x.dtype];
    return { dataId: this.#bufferOf(x).dataId, shape: shape as number[], dtype };
  }

  free(x: Tensor): void {
    const buffer = this.#bufferOf(x);
    (x as TfjsTensor).buffer = undefined;
    this.#tensors--;
    if (--buffer.handles > 0) return;
    this.#bytes -= buffer.bytes;
    if (buffer.tensor === undefined) this.#engine.backend.disposeData(buffer.dataId);
    else buffer.tensor.dispose();
  }

  memory(): BackendMemory {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  #bufferOf(x: Tensor): Buffer {
    if (!(x instanceof TfjsTensor) || x.store !== this) {
      throw new LmdError('INVALID_ARGUMENT', `This tensor was not made by this tfjs-${this.#engine.name} backend.`, {
        subject: 'tensor',
        value: x,
        remedy: 'Read it from its own backend and make it here with fromData.',
      });
    }
    if (x.buffer === undefined) {
      throw new LmdError(
        'TENSOR_DISPOSED',
        `Internal error: a tensor of shape [${x.shape}] was used after it was freed.`,
        {
          subject: 'tensor',
          value: x,
        },
      );
    }
    return x.buffer;
  }
}
