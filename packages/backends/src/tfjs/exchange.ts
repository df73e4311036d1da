import { type Backend, LmdError, type Tensor, type TensorData } from '@lmd/core';
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

/** @throws LmdError `TENSOR_DISPOSED` for a `tf.Tensor` that its program has disposed of. */
export function checkAlive(tensor: TfjsTensorLike): void {
  if (!tensor.isDisposed) return;
  throw new LmdError('TENSOR_DISPOSED', `A tf.Tensor of shape [${tensor.shape}] was given after it was disposed of.`, {
    subject: 'tensor',
    value: tensor.shape,
    remedy: 'Convert it before it is disposed; tf.keep keeps it after a tf.tidy.',
  });
}
