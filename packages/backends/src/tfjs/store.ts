import { type DType, sizeOf, type Tensor } from '@lmd/core';
import { type Block, HandleStore } from '../handle-store.js';
import type { Engine, EngineDType, TensorInfo, TfjsTensorLike } from './engine.js';

interface EngineBlock extends Block {
  readonly dataId: object;
  /**
   * Where the storage is shared with the program around the adapter: a tensor of ours that keeps it alive, and frees
   * it.
   */
  tensor?: TfjsTensorLike;
}

/**
 * TensorFlow.js has no unsigned bytes that all its engines store alike, so u8 lives in int32, at 4 bytes an element.
 */
export const engineDType: Readonly<Record<DType, 'float32' | 'int32'>> = { f32: 'float32', i32: 'int32', u8: 'int32' };

/** Handles on the engine's storage. */
export class Store extends HandleStore<EngineBlock> {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    super(`tfjs-${engine.name}`);
    this.#engine = engine;
  }

  /** A handle that owns `dataId`. */
  own<Type extends DType>(dataId: object, shape: readonly number[], dtype: Type): Tensor<Type> {
    return this.#own({ dataId }, shape, dtype);
  }

  /** A handle on the storage of a `tf.Tensor`, which stays the caller's. */
  adopt<Type extends DType>(tensor: TfjsTensorLike, dtype: Type): Tensor<Type> {
    return this.#own({ dataId: tensor.dataId, tensor: this.#engine.shareTensor(tensor) }, tensor.shape, dtype);
  }

  /** A `tf.Tensor` on the storage of `x`, which the caller disposes of; `x` stays as it is. */
  toTfjs(x: Tensor): TfjsTensorLike {
    const block = this.blockOf(x);
    block.tensor ??= this.#engine.tensorOn(block.dataId, x.shape, engineDType[x.dtype]);
    return this.#engine.shareTensor(block.tensor, x.shape);
  }

  dataId(x: Tensor): object {
    return this.blockOf(x).dataId;
  }

  /** What a kernel is given for `x`, under another shape of the same size if one is named. */
  info(x: Tensor, shape: readonly number[] = x.shape): TensorInfo {
    const dtype: EngineDType = engineDType[x.dtype];
    return { dataId: this.blockOf(x).dataId, shape: shape as number[], dtype };
  }

  protected override release({ dataId, tensor }: EngineBlock): void {
    if (tensor === undefined) this.#engine.backend.disposeData(dataId);
    else tensor.dispose();
  }

  #own<Type extends DType>(
    storage: Omit<EngineBlock, keyof Block>,
    shape: readonly number[],
    dtype: Type,
  ): Tensor<Type> {
    return this.handle({ ...storage, bytes: 4 * sizeOf(shape), handles: 0 }, shape, dtype);
  }
}
