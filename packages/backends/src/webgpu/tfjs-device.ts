import { type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';
import { Engine, type TfjsModule, type TfjsTensorLike } from '../tfjs/engine.js';
import type { Context } from './context.js';
import { type GpuBuffer, type GpuDevice, usage } from './gpu-types.js';

/** The part of TensorFlow.js's WebGPU backend, version 4, that is used here. */
interface TfjsWebgpu {
  readonly device: GpuDevice;
  /** What it has recorded and not handed over yet. */
  readonly commandEncoder: object | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: object): void;
  readonly tensorMap: { get(dataId: object): { readonly resource: GpuBuffer } };
  createTensorFromGPUData(data: { buffer: GpuBuffer }, shape: number[], dtype: string): TfjsTensorLike;
}

/** A device that is shared with TensorFlow.js. */
export interface TfjsDevice {
  readonly device: GpuDevice;
  readonly text: string;
  /** Hands over what TensorFlow.js has recorded. */
  flush(): void;
  copyIn(context: Context, tensor: TfjsTensorLike): Tensor;
  copyOut(context: Context, x: Tensor): TfjsTensorLike;
}

const members = [
  'device',
  'submitQueue',
  'endComputePassEncoder',
  'uploadToGPU',
  'tensorMap',
  'createTensorFromGPUData',
];

/**
 * The device of TensorFlow.js's current backend.
 *
 * @throws LmdError `ENGINE_MISSING` where that is not `webgpu`; `UNSUPPORTED` for two copies of TensorFlow.js's core,
 *   or a version of its WebGPU backend that is built otherwise
 */
export function tfjsDevice(tf: TfjsModule): TfjsDevice {
  const engine = new Engine(tf);
  if (engine.name !== 'webgpu') {
    throw new LmdError('ENGINE_MISSING', `The current backend of TensorFlow.js is "${engine.name}".`, {
      subject: 'tf',
      value: engine.name,
      remedy:
        'Run `npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu`, then ' +
        "`import '@tensorflow/tfjs-backend-webgpu'; await tf.setBackend('webgpu'); await tf.ready();`.",
    });
  }
  const backend = engine.backend as unknown as TfjsWebgpu;
  const missing = members.find((name) => !(name in backend));
  if (missing !== undefined) {
    throw new LmdError('UNSUPPORTED', `The WebGPU backend of TensorFlow.js ${engine.version} has no ${missing}.`, {
      subject: 'tf',
      value: engine.version,
      remedy: 'Use @tensorflow/tfjs-backend-webgpu 4.22, or pass your own device.',
    });
  }
  const dtypes: { readonly [dtype: string]: DType } = { float32: 'f32', int32: 'i32' };
  function flush(): void {
    if (backend.commandEncoder === null || backend.commandEncoder === undefined) return;
    backend.endComputePassEncoder();
    backend.submitQueue();
  }

  return {
    device: backend.device,
    text: `the device of TensorFlow.js ${engine.version}`,
    flush,
    copyIn({ queue, allocate, store }, tensor) {
      if (tensor.isDisposed) {
        throw new LmdError(
          'TENSOR_DISPOSED',
          `A tf.Tensor of shape [${tensor.shape}] was used after it was disposed.`,
          {
            subject: 'tensor',
            value: tensor.shape,
            remedy: 'Dispose of a tensor only after its last use.',
          },
        );
      }
      const dtype = dtypes[tensor.dtype];
      if (dtype === undefined) {
        throw new LmdError('DTYPE_MISMATCH', `fromTfjs: the tensor is ${tensor.dtype}.`, {
          subject: 'tensor',
          value: tensor.dtype,
          remedy: 'Convert it to float32 or int32 with tf.cast.',
        });
      }
      const out = allocate(tensor.shape, dtype);
      if (sizeOf(tensor.shape) === 0) return out;
      backend.uploadToGPU(tensor.dataId);
      queue.copyIn(backend.tensorMap.get(tensor.dataId).resource, store.storage(out));
      return out;
    },
    copyOut({ queue, store }, x) {
      if (x.dtype === 'u8') {
        throw new LmdError('DTYPE_MISMATCH', 'toTfjs: TensorFlow.js has no u8 tensors.', {
          subject: 'x',
          value: x.dtype,
          remedy: 'Convert it with cast().',
        });
      }
      const storage = store.storage(x);
      const { pages } = storage;
      if (pages.length > 1) {
        throw new LmdError('UNSUPPORTED', `toTfjs: a tensor of shape [${x.shape}] takes ${pages.length} buffers.`, {
          subject: 'x',
          value: x.shape,
          remedy: 'TensorFlow.js stores a tensor in one buffer: convert slices instead.',
        });
      }
      const dtype = x.dtype === 'f32' ? 'float32' : 'int32';
      // Of just the size: TensorFlow.js copies a whole buffer from its start, and takes the copy for the tensor. It has
      // none of 0 bytes.
      const { bytes } = storage;
      const size = Math.max(4, bytes);
      const flags = usage.storage | usage.copySource | usage.copyTarget;
      const buffer = backend.device.createBuffer({ size, usage: flags, label: 'toTfjs' });
      if (bytes > 0) queue.copyOut(storage, buffer);
      const tensor = backend.createTensorFromGPUData({ buffer }, [...x.shape], dtype);
      // It only records its copy.
      flush();
      buffer.destroy();
      return tensor;
    },
  };
}
