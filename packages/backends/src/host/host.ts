import type { DType, Tensor } from '@lmd/core';
import type { HostArray } from '../host-kernels/strided.js';

/** Handles over memory that our own loops work on in place. */
export interface Host {
  readonly store: {
    /** Another handle on the same storage. */
    share<Type extends DType>(x: Tensor<Type>, shape: readonly number[]): Tensor<Type>;
    /** The same as another dtype, which the backend stores alike. */
    share<Type extends DType>(x: Tensor, shape: readonly number[], dtype: Type): Tensor<Type>;
    free(x: Tensor): void;
  };
  /** A tensor with undefined contents. Take views only after the last allocation: it may move the memory. */
  allocate<Type extends DType>(shape: readonly number[], dtype: Type): Tensor<Type>;
  /** A tensor that `fill` writes. */
  make<Type extends DType>(shape: readonly number[], dtype: Type, fill: (out: Tensor<Type>) => void): Tensor<Type>;
  floats(x: Tensor): Float32Array;
  integers(x: Tensor): Int32Array;
  view(x: Tensor): HostArray;
}
