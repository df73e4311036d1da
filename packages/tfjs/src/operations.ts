import { createTfjsBackend, type TfjsBackend, type TfjsTensorLike } from '@lmd/backends/tfjs';
import { createWebgpuBackendOn } from '@lmd/backends/webgpu';
import { createOperations, type EagerOperations, LmdError, type Tensor } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';

/** Core's operations on the TensorFlow.js backend that is current, and the way between the two kinds of tensors. */
export interface TfjsOperations {
  readonly ops: EagerOperations;
  /** A handle on a `tf.Tensor`'s storage, in the current scope of `ops`; the tensor stays its owner's. */
  take(tensor: tf.Tensor): Tensor;
  /** A `tf.Tensor` on the storage of a handle. No `tf.tidy` frees it. */
  give(x: Tensor): tf.Tensor;
  /** What `x` holds, at once. Throws `UNSUPPORTED` where the engine would have to wait. */
  readSync(x: Tensor): Float32Array;
}

/**
 * By the backend object: a program may switch between backends, and an adapter stays with the one that it was made for.
 */
const known = new WeakMap<object, TfjsOperations>();

/**
 * The operations of the backend that is current now.
 *
 * @throws LmdError `ENGINE_MISSING` where none is current
 */
export function currentOperations(): TfjsOperations {
  // `tf.backend()` would choose and start one by itself; the adapter says what to do where there is none.
  const existing = tf.getBackend() ? known.get(tf.backend()) : undefined;
  if (existing !== undefined) return existing;
  const operations = tf.getBackend() === 'webgpu' ? onWebgpu() : onEngine();
  known.set(tf.backend(), operations);
  return operations;
}

function onEngine(): TfjsOperations {
  const adapter: TfjsBackend = createTfjsBackend(tf);
  const ops = createOperations(adapter);
  return {
    ops,
    take: (tensor) => ops.adopt(adapter.fromTfjs(tensor as TfjsTensorLike)),
    give: (x) => adapter.toTfjs(x) as unknown as tf.Tensor,
    readSync: (x) => adapter.readSync(x) as Float32Array,
  };
}

/** Kernels of our own on the engine's device, between copies there: fused, and with the bits of the other engines. */
function onWebgpu(): TfjsOperations {
  const backend = createWebgpuBackendOn(tf);
  const ops = createOperations(backend);
  return {
    ops,
    take: (tensor) => ops.adopt(backend.fromTfjs(tensor as TfjsTensorLike)),
    give: (x) => tf.keep(backend.toTfjs(x) as unknown as tf.Tensor),
    readSync() {
      // TensorFlow.js would read through a canvas, which gives zeros where WebGPU is software.
      throw new LmdError('UNSUPPORTED', 'WebGPU has no synchronous read of a tensor.', {
        subject: 'readSync',
        remedy: 'Use await tensor.data().',
      });
    },
  };
}

/**
 * Runs `body` on handles of tensors, and frees every handle that it made. What it returns are tensors of the program
 * around: in a `tf.tidy` they are freed as any other.
 */
export function compute(
  inputs: readonly tf.Tensor[],
  body: (ops: EagerOperations, xs: readonly Tensor[]) => Tensor,
): tf.Tensor {
  const { ops, take, give } = currentOperations();
  let result: tf.Tensor | undefined;
  ops.scope(() => {
    result = give(body(ops, inputs.map(take)));
  });
  return unkept(result as tf.Tensor);
}

/** Puts a kept tensor under the care of the enclosing `tf.tidy`, as the results of `tf`'s own operations are. */
function unkept(tensor: tf.Tensor): tf.Tensor {
  tensor.kept = false;
  return tensor;
}
