import type { ContractMarker } from './contract-version.js';
import type { RandomKey } from './formats.js';
import type { FusedKernels } from './fused-kernels.js';
import type { DType, FloatTensor, IntegerTensor, Tensor, TensorData } from './tensor.js';

/** Version of this contract. It changes only if a correct backend would become incorrect. */
export const backendSpecVersion = 'lmd-backend-v1';

/** Elementwise functions of one f32 tensor. `round` takes ties to even; `sign(0)` is 0; `erf` is the error function. */
export const unaryNames = ['negate', 'absolute', 'sign', 'exp', 'log', 'sqrt', 'tanh', 'erf', 'round'] as const;
export type UnaryName = (typeof unaryNames)[number];

/** Elementwise functions of two f32 tensors with NumPy broadcasting. `maximum` and `minimum` keep NaN. */
export const binaryNames = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'] as const;
export type BinaryName = (typeof binaryNames)[number];

/** Comparisons of two tensors of one dtype (f32 or i32) with broadcasting; i32 result, 1 or 0; false beside a NaN. */
export const comparisonNames = ['equal', 'greater', 'less'] as const;
export type ComparisonName = (typeof comparisonNames)[number];

/**
 * The primitive operations, which every backend implements; they are forward only. Core checks all arguments before the
 * call (`createOperations`), so that a backend needs no checks of shapes. An operation enqueues its work and returns
 * immediately; a failure that occurs later is reported by `read` as an `LmdError` with code `BACKEND_FAILURE`. Tensors
 * are immutable. Each result is a new handle with its own `dispose`, even if it shares storage (`reshape`).
 *
 * The types state the dtypes of arguments and results; `primitiveDTypes` states the same as data.
 */
export interface Primitives
  extends Record<UnaryName, (x: FloatTensor) => FloatTensor>,
    Record<BinaryName, (a: FloatTensor, b: FloatTensor) => FloatTensor>,
    Record<ComparisonName, <Type extends 'f32' | 'i32'>(a: Tensor<Type>, b: Tensor<NoInfer<Type>>) => IntegerTensor> {
  // Creation and readback
  /**
   * Copies `data`, whose array type fits `dtype`. A Float64Array is accepted for f32 and rounded to the precision of
   * the backend.
   */
  fromData<Type extends DType>(data: TensorData | Float64Array, shape: readonly number[], dtype: Type): Tensor<Type>;
  full<Type extends DType>(shape: readonly number[], value: number, dtype: Type): Tensor<Type>;
  /** A copy of the contents, row-major, after all enqueued operations have run. */
  read(x: Tensor): Promise<TensorData>;
  /** Frees the handle. Core never calls it twice for one handle. */
  dispose(x: Tensor): void;
  /**
   * Between f32 and i32. f32 → i32 truncates toward zero and saturates: values beyond the range and infinities give
   * −2^31 or 2^31 − 1, NaN gives 0. i32 → f32 rounds to nearest, ties to even.
   */
  cast<Type extends 'f32' | 'i32'>(x: Tensor<'f32' | 'i32'>, dtype: Type): Tensor<Type>;

  /**
   * `condition` is i32 (non-zero is true), `a` and `b` have the same dtype; all three broadcast. A NaN in an element
   * that is not selected does not affect the result.
   */
  where<Type extends DType>(condition: IntegerTensor, a: Tensor<Type>, b: Tensor<NoInfer<Type>>): Tensor<Type>;

  // Reductions over the sorted, distinct, non-negative `axes` (never empty); the axes are removed. `max` keeps NaN.
  sum(x: FloatTensor, axes: readonly number[]): FloatTensor;
  max(x: FloatTensor, axes: readonly number[]): FloatTensor;
  /** Index (i32) of the first maximum along `axis`, which is removed. */
  argMax(x: FloatTensor, axis: number): IntegerTensor;

  /**
   * Batched matrix product of rank-3 f32 tensors [batch, m, k] · [batch, k, n] → [batch, m, n]. A batch of 1 is
   * broadcast. A transpose flag means that the last two axes of that operand are stored in the opposite order.
   */
  matmul(a: FloatTensor, b: FloatTensor, transposeA: boolean, transposeB: boolean): FloatTensor;

  // Shape
  reshape<Type extends DType>(x: Tensor<Type>, shape: readonly number[]): Tensor<Type>;
  transpose<Type extends DType>(x: Tensor<Type>, permutation: readonly number[]): Tensor<Type>;
  slice<Type extends DType>(x: Tensor<Type>, begin: readonly number[], size: readonly number[]): Tensor<Type>;
  concatenate<Type extends DType>(xs: readonly Tensor<Type>[], axis: number): Tensor<Type>;
  /** Broadcasts as NumPy does and stores the result; `shape` is at least as long as `x.shape`. */
  broadcastTo<Type extends DType>(x: Tensor<Type>, shape: readonly number[]): Tensor<Type>;
  /** Adds `before[i]` and `after[i]` zeros around axis i. */
  pad<Type extends DType>(x: Tensor<Type>, before: readonly number[], after: readonly number[]): Tensor<Type>;
  /**
   * Rows of `x` [rows, ...rest] at `indices` (i32, any shape) → [...indices.shape, ...rest]. An index out of range
   * gives NaN rows (f32).
   */
  gather(x: FloatTensor, indices: IntegerTensor): FloatTensor;
  /**
   * Zeros [rows, ...rest], to which each row of `updates` [...indices.shape, ...rest] is added at its index, in index
   * order. Indices out of range are ignored.
   */
  scatterAdd(indices: IntegerTensor, updates: FloatTensor, rows: number): FloatTensor;

  // Random numbers (Philox4x32-10; see `RandomKey` and `philox.ts`)
  /** i32 tensor of 32 random bits per element: lane i & 3 of counter block i >> 2. Identical on every backend. */
  randomBits(shape: readonly number[], key: RandomKey): IntegerTensor;
  /** f32 in [0, 1): the upper 24 bits times 2^-24. Identical on every backend. */
  randomUniform(shape: readonly number[], key: RandomKey): FloatTensor;
  /** f32 standard normals by Box–Muller (see `normalsFromBits`); within a few ulp on every backend. */
  randomNormal(shape: readonly number[], key: RandomKey): FloatTensor;
}

export type PrimitiveName = keyof Primitives;

/** The names of all primitive operations, in the order of the contract. */
export const primitiveNames = [
  ...unaryNames,
  ...binaryNames,
  ...comparisonNames,
  'fromData',
  'full',
  'read',
  'dispose',
  'cast',
  'where',
  'sum',
  'max',
  'argMax',
  'matmul',
  'reshape',
  'transpose',
  'slice',
  'concatenate',
  'broadcastTo',
  'pad',
  'gather',
  'scatterAdd',
  'randomBits',
  'randomUniform',
  'randomNormal',
] as const satisfies readonly PrimitiveName[];

export interface BackendMemory {
  readonly tensors: number;
  readonly bytes: number;
}

/** Properties that differ between backends, for the conformance suite and for users. */
export interface BackendSupport {
  /** Largest number of elements of one tensor. */
  readonly maxElements: number;
  /** Whether subnormal numbers are supported; false if the arithmetic may flush them to zero. */
  readonly subnormals: boolean;
}

/**
 * A backend, version 1: a plain object. To write one, implement `Primitives`, pass `backendConformance` from
 * `@lmd/conformance`, then add `fused` kernels one at a time.
 */
export interface Backend extends Primitives, ContractMarker<typeof backendSpecVersion> {
  readonly specVersion: typeof backendSpecVersion;
  /** Short name in lower case, such as `reference` or `tfjs-wasm`. */
  readonly name: string;
  /** Engine or device, for display, such as `TensorFlow.js 4.22.0 wasm (SIMD)`. */
  readonly device: string;
  readonly supports: BackendSupport;
  readonly fused: Partial<FusedKernels>;
  /**
   * Number and bytes of live tensors, from counters: O(1), without allocating on the device and without running or
   * waiting for enqueued work. Core calls it after every operation to track the peak; the conformance suite calls it
   * before and after each test.
   */
  memory(): BackendMemory;
  /**
   * Copies the contents of `x` into `into`, of its dtype and size, before it returns. The array may be in shared
   * memory. For a backend whose operations have run when they return. Others leave it out, and are read by `read`.
   */
  readInto?(x: Tensor, into: TensorData): void;
  /** Frees all memory, and the engine if this backend started it. */
  close?(): void;
}
