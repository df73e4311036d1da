import {
  type Backend,
  type DType,
  isTypedArray,
  LmdError,
  type Primitives,
  sizeOf,
  type Tensor,
  type TensorData,
} from '@lmd/core';
import { backendMarker } from '../made-by.js';
import type { TfjsModule, TfjsTensorLike } from '../tfjs/engine.js';
import { activations } from './activations.js';
import { attention } from './attention.js';
import { blockProducts } from './block-products.js';
import { type Context, createContext } from './context.js';
import { checkLimits, describeAdapter, findGpu, hasPackedDot, requestDevice } from './device.js';
import { elementwise } from './elementwise.js';
import type { GpuDevice } from './gpu-types.js';
import { indexing } from './indexing.js';
import { matmul } from './matmul.js';
import { fill, movement } from './movement.js';
import { normalization } from './normalization.js';
import { optimizers } from './optimizers.js';
import { type CheckedOptions, checkedOptions, type WebgpuBackendOptions } from './options.js';
import { quantization } from './quantization.js';
import { Queue } from './queue.js';
import { random } from './random.js';
import { reductions } from './reductions.js';
import type { WebgpuStatistics } from './statistics.js';
import { TensorStore } from './tensor-store.js';
import { type TfjsDevice, tfjsDevice } from './tfjs-device.js';
import { UpdateGroups } from './update-groups.js';

export interface WebgpuBackend extends Backend {
  /** What was done since the backend was made, or since `resetStatistics`. */
  statistics(): WebgpuStatistics;
  resetStatistics(): void;
  /**
   * A copy, on the device, of a `tf.Tensor` of dtype float32 or int32; give it to `ops.adopt`, then to operations.
   *
   * @throws LmdError `DTYPE_MISMATCH`; `TENSOR_DISPOSED`; `UNSUPPORTED` for a backend made without `tf`
   */
  fromTfjs(tensor: TfjsTensorLike): Tensor;
  /** A copy of `x`, on the device, for TensorFlow.js, which from then on counts it. Made with `tf` only. */
  toTfjs(x: Tensor): TfjsTensorLike;
  close(): void;
}

/** What the other modules of this subpath need of a backend, kept out of its interface. */
export const contexts = new WeakMap<Backend, Context>();

/**
 * A backend of our own WGSL kernels on a WebGPU device: a browser's, Dawn's in Node (the package `webgpu`), one of
 * yours, or that of TensorFlow.js.
 *
 * @throws LmdError `ENGINE_MISSING` (no WebGPU, no adapter), `UNSUPPORTED` (limits too small), `UNKNOWN_OPTION`,
 *   `INVALID_ARGUMENT`
 */
export async function createWebgpuBackend(options: WebgpuBackendOptions = {}): Promise<WebgpuBackend> {
  const checked = checkedOptions(options);
  const { tf, device } = checked;
  const packedDot = hasPackedDot();
  if (tf !== undefined) return backendOn({ ...tfjsDevice(tf), own: false, packedDot }, checked);
  if (device !== undefined) {
    return backendOn({ device, text: describeAdapter(device.adapterInfo), own: false, packedDot }, checked);
  }
  const gpu = checked.gpu ?? (await findGpu());
  const opened = await requestDevice(gpu, checked.powerPreference);
  return backendOn({ ...opened, own: true, packedDot: hasPackedDot(gpu) }, checked);
}

/** `createWebgpuBackend({ tf })` at once: there is a device already. */
export function createWebgpuBackendOn(tf: TfjsModule): WebgpuBackend {
  return backendOn({ ...tfjsDevice(tf), own: false, packedDot: hasPackedDot() }, checkedOptions({ tf }));
}

/** Device of a backend, destroyed on close if it is its own; with TensorFlow.js, also its queue. */
type Base = { readonly own: boolean; readonly packedDot: boolean } & (
  | { readonly device: GpuDevice; readonly text: string }
  | TfjsDevice
);

function backendOn(base: Base, checked: CheckedOptions): WebgpuBackend {
  const { device, text, own, packedDot } = base;
  const shared = 'flush' in base ? base : undefined;
  checkLimits(device);
  const { memoryLimit, maxBindingBytes } = checked;
  const queue = new Queue(device, {
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...(maxBindingBytes === undefined ? {} : { maxBindingBytes }),
  });
  if (shared !== undefined) queue.beforeSubmit = shared.flush;
  const store = new TensorStore(queue);
  const context = createContext(queue, store);
  const groups = new UpdateGroups(queue, store, checked.groupedElements);
  queue.beforeFlush = () => groups.run();
  const primitives = primitivesOf(context);

  function sharing(operation: string): TfjsDevice {
    if (shared !== undefined) return shared;
    throw new LmdError('UNSUPPORTED', `${operation}: this backend does not share a device with TensorFlow.js.`, {
      subject: operation,
      remedy: 'Create it with createWebgpuBackend({ tf }).',
    });
  }

  /** Deferred work is attributed to the calls that caused it. */
  function countPutOff(): void {
    try {
      groups.run();
    } catch {
      // Counting goes on after a failure, which the use of any result still throws.
    }
  }

  const backend: WebgpuBackend = {
    ...backendMarker,
    name: 'webgpu',
    device: `WebGPU on ${text}; block products by ${packedDot ? 'dot4I8Packed' : 'i32 multiplication'}`,
    // A copy binds every buffer of both its sides.
    supports: { maxElements: Math.floor(queue.maxBindings / 2) * queue.pageWords, subnormals: false },
    ...primitives,
    fused: {
      ...normalization(context),
      ...activations(context),
      ...attention(context, primitives.matmul),
      ...quantization(context),
      ...blockProducts(context, packedDot),
      ...optimizers(context, groups),
    },
    memory: () => store.memory(),
    statistics() {
      countPutOff();
      return queue.counters.snapshot(queue.memory.pool.bytes);
    },
    resetStatistics() {
      countPutOff();
      queue.counters.reset();
    },
    fromTfjs: (tensor) => sharing('fromTfjs').copyIn(context, tensor),
    toTfjs: (x) => sharing('toTfjs').copyOut(context, x),
    close() {
      groups.forget();
      queue.close();
      if (own) device.destroy();
    },
  };
  contexts.set(backend, context);
  return backend;
}

function primitivesOf(context: Context): Primitives {
  const { queue, store, make } = context;
  return {
    ...elementwise(context),
    ...movement(context),
    ...reductions(context),
    ...indexing(context),
    ...random(context),
    matmul: matmul(context),
    fromData: (data, shape, dtype) => store.adopt(queue.upload(wordsOf(data, dtype)), shape, dtype),
    full(shape, value, dtype) {
      const word = wordOf(value, dtype);
      const fillWith = (out: Tensor) => fill(context, out, word);
      if (sizeOf(shape) === 1) return store.constant(word, shape, dtype, fillWith);
      return make(shape, dtype, (out) => {
        if (sizeOf(shape) > 0) fillWith(out);
      });
    },
    read: async (x) => dataOf(await queue.read(store.storage(x)), x.dtype),
    dispose: (x) => store.free(x),
  };
}

function wordsOf(data: TensorData | Float64Array, dtype: DType): Float32Array | Int32Array {
  if (dtype === 'f32') return isTypedArray(data, 'Float32Array') ? data : Float32Array.from(data);
  return isTypedArray(data, 'Int32Array') ? data : Int32Array.from(data);
}

function wordOf(value: number, dtype: DType): number {
  if (dtype !== 'f32') return value;
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

function dataOf(buffer: ArrayBuffer, dtype: DType): TensorData {
  if (dtype === 'f32') return new Float32Array(buffer);
  const words = new Int32Array(buffer);
  return dtype === 'i32' ? words : Uint8Array.from(words);
}
