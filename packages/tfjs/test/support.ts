import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import { expect } from 'vitest';

export const engines = ['cpu', 'wasm'] as const;

export async function onEngine(name: string): Promise<void> {
  // Without the greeting that it prints in Node.
  tf.env().set('PROD', true);
  await tf.setBackend(name);
  await tf.ready();
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
