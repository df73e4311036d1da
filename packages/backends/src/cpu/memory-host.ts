import type { DType, Tensor } from '@lmd/core';
import type { Native } from '@lmd/native';
import type { Host } from '../host/host.js';
import type { Arena } from './arena.js';
import type { TensorStore } from './tensor-store.js';
import type { Split } from './threads/split.js';
import type { KernelArguments, KernelName } from './wasm/kernels.js';
import type { NativeOnly } from './wasm/native-only.js';

/** The backend's memory, with its kernels and addresses. */
export interface MemoryHost extends Host {
  readonly store: TensorStore;
  readonly arena: Arena;
  readonly threads: number;
  /** Whether the kernels multiply integers of one byte: relaxed SIMD has an instruction for it. */
  readonly bytesMultiply: boolean;
  /** Whether this many nanoseconds of work are split among threads. */
  worthwhile(time: number): boolean;
  /** Runs a kernel over its range, on several threads where that pays. The bits do not depend on how many. */
  run<Name extends KernelName>(name: Name, split: Split, named: KernelArguments[Name]): void;
  /** Whether there is a kernel that only `@lmd/native` has. */
  has(name: keyof NativeOnly): boolean;
  /** The native kernels in use, if any. */
  readonly native: Native | undefined;
  address(x: Tensor): number;
  /** `x` repeated to a shape. */
  broadcast<Type extends DType>(x: Tensor<Type>, shape: readonly number[]): Tensor<Type>;
  /** Ends the threads; no operation works afterwards. */
  close(): void;
}
