import { bytesPerElement, type DType, sizeOf, type Tensor } from '@lmd/core';
import { type Block, HandleStore } from '../handle-store.js';
import { sameShape } from '../strided-offsets.js';
import { type Native, type NativeType, type NativeValue, nativeType, typeAttribute, types } from './native.js';

interface NativeBlock extends Block {
  readonly value: NativeValue;
  /** TensorFlow's own handles on the storage, by another shape. They take no memory of their own. */
  views?: Map<string, number>;
}

/** Handles on TensorFlow's storage. */
export class NodeStore extends HandleStore<NativeBlock> {
  readonly #native: Native;

  constructor(native: Native) {
    super(native.label);
    this.#native = native;
  }

  /** A handle that owns `value`, which TensorFlow may know by another shape of the same size. */
  own<Type extends DType>(value: NativeValue, shape: readonly number[], dtype: Type): Tensor<Type> {
    return this.handle({ value, bytes: bytesPerElement[dtype] * sizeOf(shape), handles: 0 }, shape, dtype);
  }

  /** `x` by the shape that TensorFlow knows it by. */
  value(x: Tensor): NativeValue {
    return this.blockOf(x).value;
  }

  /** TensorFlow's number for `x` in a shape of the same size; its own if none is named. */
  at(x: Tensor, shape: readonly number[] = x.shape): number {
    const block = this.blockOf(x);
    if (sameShape(block.value.shape, shape)) return block.value.id;
    const key = shape.join();
    block.views ??= new Map();
    let id = block.views.get(key);
    if (id === undefined) {
      id = this.reshaped(block.value.id, shape, nativeType[x.dtype]).id;
      block.views.set(key, id);
    }
    return id;
  }

  /** The same storage by another shape: a handle of TensorFlow's that the caller frees. */
  reshaped(id: number, shape: readonly number[], type: NativeType): NativeValue {
    const attributes = [typeAttribute('T', type), typeAttribute('Tshape', types.int32)];
    return this.#native.run('Reshape', attributes, [id, this.#native.indices(shape)]);
  }

  protected override release({ value, views }: NativeBlock): void {
    this.#native.free(value.id);
    for (const id of views?.values() ?? []) this.#native.free(id);
  }
}
