import { createReferenceBackend, type ReferenceBackend } from '@lmd/backends/reference';
import type { Backend, FloatTensor, IntegerTensor, Tensor } from '@lmd/core';
import type { Values } from '../values.js';

/** A backend with one error, and the tests that must detect it. */
export interface Fault {
  readonly name: string;
  readonly breakIt: (right: ReferenceBackend) => Partial<Backend>;
  /** Full names of the tests that must fail, whatever the seed. */
  readonly caughtBy: readonly string[];
  /** Tests that may fail as well, because they are made of the broken part. All others must pass. */
  readonly mayAlsoFail?: RegExp;
  /** What the failure must say. */
  readonly message?: RegExp;
}

/** The reference backend with one fault. */
export function broken({ breakIt }: Fault): Backend {
  const right = createReferenceBackend();
  return { ...right, ...breakIt(right) };
}

/** The same with one fused kernel that is wrong; the right kernels stay. */
export function withKernel(right: ReferenceBackend, fused: Partial<Backend['fused']>): Partial<Backend> {
  return { fused: { ...right.fused, ...fused } };
}

/** The contents of a tensor of the reference backend, at once. */
export function valuesOf(right: ReferenceBackend, x: Tensor): Values {
  return { shape: x.shape, dtype: x.dtype, data: right.readFloat64(x) };
}

/** Values as an f32 tensor of the reference backend. */
export function tensorOf(right: ReferenceBackend, { data, shape }: Pick<Values, 'data' | 'shape'>): FloatTensor {
  return right.fromData(Float32Array.from(data), shape, 'f32');
}

/** The same as an i32 tensor. */
export function integersOf(right: ReferenceBackend, { data, shape }: Pick<Values, 'data' | 'shape'>): IntegerTensor {
  return right.fromData(Int32Array.from(data), shape, 'i32');
}
