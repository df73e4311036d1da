import type { DType, Tensor } from '@lmd/core';
import type { HostArray } from '../host-kernels/strided.js';

/** Handles over memory that our own loops work on in place. */
export interface Host {
  readonly store: {
    /** Another handle on the same storage; `dtype` is one that the backend stores alike. */
    share(x: Tensor, shape: readonly number[], dtype?: DType): Tensor;
    free(x: Tensor): void;
  };
  /** A tensor with undefined contents. Take views only after the last allocation: it may move the memory. */
  allocate(shape: readonly number[], dtype: DType): Tensor;
  /** A tensor that `fill` writes. */
  make(shape: readonly number[], dtype: DType, fill: (out: Tensor) => void): Tensor;
  floats(x: Tensor): Float32Array;
  integers(x: Tensor): Int32Array;
  view(x: Tensor): HostArray;
}
