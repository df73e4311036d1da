import { createWebgpuBackend, type WebgpuBackend } from '@lmd/backends/webgpu';
import { createOperations, isLmdError } from '@lmd/core';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { backendConformance } from '../src/index.js';

/** On TensorFlow.js's own device, which has no more than eight storage buffers a kernel. */
async function onTfjs(): Promise<WebgpuBackend> {
  await tf.setBackend('webgpu');
  await tf.ready();
  return createWebgpuBackend({ tf });
}

backendConformance({ describe, it, expect }, { name: 'webgpu on the device of TensorFlow.js', create: onTfjs });

describe('tensors shared with TensorFlow.js', () => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    backend = await onTfjs();
  });

  it('go to and fro without leaving the device, in the order of the calls', async () => {
    const ops = createOperations(backend);
    const theirs = tf.tidy(() => tf.add(tf.reshape(tf.range(0, 6, 1, 'float32'), [2, 3]), 1));
    backend.resetStatistics();
    const x = ops.adopt(backend.fromTfjs(theirs));
    theirs.dispose();
    // TensorFlow.js may use the freed buffer for this.
    const other = tf.tidy(() => tf.mul(tf.ones([2, 3]), 100));
    const y = ops.multiply(x, 2);
    const back = backend.toTfjs(y) as tf.Tensor;
    ops.dispose(y);
    const overwritten = ops.full([2, 3], 7);
    const result = tf.tidy(() => tf.add(back, 0.5));
    expect([...(await result.data())]).toEqual([2.5, 4.5, 6.5, 8.5, 10.5, 12.5]);
    // Buffers are of sizes in classes, tensors of their own.
    expect([...(await back.data())]).toEqual([2, 4, 6, 8, 10, 12]);
    expect(backend.statistics().readbacks).toBe(0);
    expect(backend.statistics().uploads).toBe(0);
    expect([...(await ops.read(x))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await other.data())]).toEqual([100, 100, 100, 100, 100, 100]);
    const labels = ops.adopt(backend.fromTfjs(tf.tensor1d([3, 1, 2], 'int32')));
    expect(await ops.read(labels)).toEqual(Int32Array.of(3, 1, 2));
    ops.dispose([x, overwritten, labels]);
    tf.dispose([back, result, other]);
    expect(backend.memory().tensors).toBe(0);
  });

  it('are refused where they are freed or of another kind', () => {
    const freed = tf.tensor1d([1, 2]);
    freed.dispose();
    const bools = tf.tensor1d([true, false]);
    for (const [tensor, code] of [
      [freed, 'TENSOR_DISPOSED'],
      [bools, 'DTYPE_MISMATCH'],
    ] as const) {
      let caught: unknown;
      try {
        backend.fromTfjs(tensor as never);
      } catch (error) {
        caught = error;
      }
      expect(isLmdError(caught, code)).toBe(true);
    }
    bools.dispose();
  });
});
