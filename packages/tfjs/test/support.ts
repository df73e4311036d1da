import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { expect, inject } from 'vitest';

/** What makes an engine known to TensorFlow.js, by the name that it is known by. */
const loaders = {
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  webgl: () => import('@tensorflow/tfjs-backend-webgl'),
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
  tensorflow: async () => {
    const { loadTfjsNode } = await import('@lmd/backends/tfjs-node');
    return loadTfjsNode(process.env.LMD_TFJS_NODE);
  },
} as const;

export type EngineName = keyof typeof loaders;

declare module 'vitest' {
  interface ProvidedContext {
    /** The engines of this suite: one configuration of vitest each for Node, for tfjs-node and for a browser. */
    engines: readonly EngineName[];
  }
}

export const engines = inject('engines');
export const onGpu = (engine: EngineName) => engine === 'webgl' || engine === 'webgpu';
for (const name of engines) await loaders[name]();

export async function onEngine(name: EngineName): Promise<void> {
  // Without the greeting that it prints in Node.
  tf.env().set('PROD', true);
  await tf.setBackend(name);
  await tf.ready();
}

/** What a tensor holds. Waiting for it works on every engine; `dataSync` gives zeros on WebGPU in software. */
export async function read(x: tf.Tensor): Promise<Float32Array> {
  return (await x.data()).slice() as Float32Array;
}

/** Reads tensors, and frees them. */
export async function readAll(xs: readonly tf.Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(xs.map(read));
  tf.dispose(xs as tf.Tensor[]);
  return values;
}

/** Reproducible numbers in [−1, 1). */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export function tensor(shape: number[], seed = 1): tf.Tensor {
  return tf.tensor(numbers(tf.util.sizeFromShape(shape), seed), shape);
}

export function counts() {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes };
}

export function errorOf(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not throw.');
}

export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, relative = 1e-5, absolute = 1e-6) {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    const bound = absolute + relative * Math.abs(expected[i]!);
    expect(
      Math.abs(actual[i]! - expected[i]!),
      `element ${i}: ${actual[i]}, expected ${expected[i]}`,
    ).toBeLessThanOrEqual(bound);
  }
}
