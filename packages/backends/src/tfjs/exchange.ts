import type { Backend, Tensor, TensorData } from '@lmd/core';
import type { TfjsTensorLike } from './engine.js';

/** A backend that also exchanges tensors with the TensorFlow.js program around it, by reference: nothing is copied. */
export interface TfjsBackend extends Backend {
  /**
   * A handle on the storage of a `tf.Tensor` of dtype float32 or int32, which stays the caller's; give it to
   * `ops.adopt`, then to operations.
   *
   * @throws LmdError `DTYPE_MISMATCH` for another dtype; `TENSOR_DISPOSED`
   */
  fromTfjs(tensor: TfjsTensorLike): Tensor;
  /** A `tf.Tensor` on the storage of `x`, which stays as it is. The caller disposes of it: no `tf.tidy` does. */
  toTfjs(x: Tensor): TfjsTensorLike;
  /**
   * `read` for engines that need not wait (cpu, wasm, tfjs-node, WebGL).
   *
   * @throws LmdError `UNSUPPORTED` where the engine cannot (WebGPU)
   */
  readSync(x: Tensor): TensorData;
}
