import { createReferenceBackend } from '@lmd/backends/reference';
import { type Backend, isTypedArray, type Tensor } from '@lmd/core';
import { expect } from 'vitest';
import { randomFloats, worstUlps } from './random-values.js';

const reference = createReferenceBackend();

export interface Input {
  readonly values: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** The arguments may be of any dtype: a test gives those that fit. */
type Body = (b: Backend, ...xs: Tensor<never>[]) => Tensor;

/** Runs `body` on a backend and on the reference; fails on a leak or another shape or dtype. */
export async function onBoth(backend: Backend, inputs: readonly Input[], body: Body) {
  const run = async (b: Backend) => {
    const before = b.memory();
    const xs = inputs.map(({ values, shape }) =>
      b.fromData(values, shape, isTypedArray(values, 'Float32Array') ? 'f32' : 'i32'),
    );
    const result = body(b, ...(xs as Tensor<never>[]));
    const data = await b.read(result);
    const { shape, dtype } = result;
    for (const x of [...xs, result]) b.dispose(x);
    expect(b.memory()).toEqual(before);
    return { data, shape, dtype };
  };
  const actual = await run(backend);
  const expected = await run(reference);
  expect([actual.shape, actual.dtype]).toEqual([expected.shape, expected.dtype]);
  return [actual.data, expected.data] as const;
}

/** The same, and the values agree to `ulps` float32 steps, NaN with NaN. */
export async function expectSame(backend: Backend, inputs: readonly Input[], body: Body, ulps = 0): Promise<void> {
  const [actual, expected] = await onBoth(backend, inputs, body);
  expect(worstUlps(actual, expected)).toBeLessThanOrEqual(ulps);
}

export function f32(values: readonly number[] | Float32Array, shape: readonly number[] = [values.length]): Input {
  return { values: Float32Array.from(values), shape };
}

export function i32(values: readonly number[], shape: readonly number[] = [values.length]): Input {
  return { values: Int32Array.from(values), shape };
}

/** Random float32 values of a shape. */
export function random(shape: readonly number[], seed: number, scale?: number): Input {
  const size = shape.reduce((a, b) => a * b, 1);
  return f32(randomFloats(size, seed, scale), shape);
}
