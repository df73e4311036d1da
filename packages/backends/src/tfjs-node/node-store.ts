import { type BackendMemory, bytesPerElement, type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';
import { sameShape } from '../strided-offsets.js';
import { type Native, type NativeType, type NativeValue, nativeType, typeAttribute, types } from './native.js';

/** Storage in TensorFlow, shared by the handles that `reshape` makes of one another. */
interface Buffer {
  readonly value: NativeValue;
  readonly bytes: number;
  handles: number;
  /** TensorFlow's own handles on the storage, by another shape. They take no memory of their own. */
  views?: Map<string, number>;
}

class NodeTensor implements Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Which backend made it. */
  readonly store: NodeStore;
  buffer: Buffer | undefined;

  constructor(shape: readonly number[], dtype: DType, store: NodeStore, buffer: Buffer) {
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.store = store;
    this.buffer = buffer;
    buffer.handles++;
  }
}

/** Makes and frees handles on TensorFlow's storage, and counts what live ones hold. */
export class NodeStore {
  readonly #native: Native;
  #tensors = 0;
  #bytes = 0;

  constructor(native: Native) {
    this.#native = native;
  }

  /** A handle that owns `value`, which TensorFlow may know by another shape of the same size. */
  own(value: NativeValue, shape: readonly number[], dtype: DType): Tensor {
    const bytes = bytesPerElement[dtype] * sizeOf(shape);
    this.#tensors++;
    this.#bytes += bytes;
    return new NodeTensor(shape, dtype, this, { value, bytes, handles: 0 });
  }

  /** Another handle on the same storage. */
  share(x: Tensor, shape: readonly number[]): Tensor {
    const buffer = this.#bufferOf(x);
    this.#tensors++;
    return new NodeTensor(shape, x.dtype, this, buffer);
  }

  /** `x` by the shape that TensorFlow knows it by. */
  value(x: Tensor): NativeValue {
    return this.#bufferOf(x).value;
  }

  /** TensorFlow's number for `x` in a shape of the same size; its own if none is named. */
  at(x: Tensor, shape: readonly number[] = x.shape): number {
    const buffer = this.#bufferOf(x);
    if (sameShape(buffer.value.shape, shape)) return buffer.value.id;
    const key = shape.join();
    buffer.views ??= new Map();
    let id = buffer.views.get(key);
    if (id === undefined) {
      id = this.reshaped(buffer.value.id, shape, nativeType[x.dtype]).id;
      buffer.views.set(key, id);
    }
    return id;
  }

  /** The same storage by another shape: a handle of TensorFlow's that the caller frees. */
  reshaped(id: number, shape: readonly number[], type: NativeType): NativeValue {
    const attributes = [typeAttribute('T', type), typeAttribute('Tshape', types.int32)];
    return this.#native.run('Reshape', attributes, [id, this.#native.indices(shape)]);
  }

  free(x: Tensor): void {
    const buffer = this.#bufferOf(x);
    (x as NodeTensor).buffer = undefined;
    this.#tensors--;
    if (--buffer.handles > 0) return;
    this.#bytes -= buffer.bytes;
    this.#native.free(buffer.value.id);
    for (const id of buffer.views?.values() ?? []) this.#native.free(id);
  }

  memory(): BackendMemory {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  #bufferOf(x: Tensor): Buffer {
    if (!(x instanceof NodeTensor) || x.store !== this) {
      throw new LmdError('INVALID_ARGUMENT', `This tensor was not made by this ${this.#native.label} backend.`, {
        subject: 'tensor',
        value: x,
        remedy: 'Read it from its own backend and make it here with fromData.',
      });
    }
    if (x.buffer === undefined) {
      throw new LmdError('TENSOR_DISPOSED', `A tensor of shape [${x.shape}] was used after it was freed.`, {
        subject: 'tensor',
        value: x.shape,
        remedy: 'Dispose of it after its last use.',
      });
    }
    return x.buffer;
  }
}
