import type { Backend, BackendMemory, BinaryName, ComparisonName, UnaryName } from './backend.js';
import type { EncodedOperand, EncodeOperandOptions } from './block-products.js';
import type { CodedRows } from './coded-rows.js';
import type { ContractMarker } from './contract-version.js';
import type { BlockFormat, FakeQuantizeOptions, RandomKey } from './formats.js';
import type { AttentionGradients, AttentionOptions, GeluApproximation, LayerNormGradients } from './fused-kernels.js';
import type {
  AdamwTensors,
  AdamwUpdateOptions,
  CodeLaw,
  EncodedBlocks,
  LmdTensors,
  LmdUpdateOptions,
} from './optimizer-kernels.js';
import type { PackedCodes, PackedMatrix } from './packed-matrices.js';
import type { DType, NamedTensors, Tensor, TensorData } from './tensor.js';

/** A tensor, or a number as a scalar: f32, or the dtype of the other operand in a comparison and in `where`. */
export type TensorLike = Tensor | number;

export interface ReduceOptions {
  /** Axes to reduce; negative values count from the end. Default: all. */
  readonly axes?: number | readonly number[];
  /** Keeps reduced axes with extent 1. Default false. */
  readonly keepDims?: boolean;
}

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

export type CustomBackward = (
  ops: Operations,
  dy: Tensor,
  inputs: readonly Tensor[],
  output: Tensor,
  wanted: readonly boolean[],
) => readonly (Tensor | null)[];

export interface CustomGradient {
  /**
   * Runs with plain operations, which are not recorded. Tensors passed to `keep` are kept for `backward`, as saved
   * inputs are; all other tensors that it creates are freed.
   */
  forward(ops: Operations, inputs: readonly Tensor[], keep: (tensors: NamedTensors) => void): Tensor;
  /**
   * Returns the gradient for each input from dy, which has the shape of the output, or null if there is none. `inputs`
   * and `output` are alive and unchanged. The caller owns the returned tensors; all other tensors that it creates are
   * freed. If `wanted[i]` is false, the gradient of input i is not needed, and null saves the computation.
   *
   * Or `'recompute'`: the backward pass runs `forward` again, on a tape, and differentiates it.
   */
  readonly backward: CustomBackward | 'recompute';
  /**
   * What `backward` reads, so that all else can be freed before it runs: indices of inputs (default: all) and the
   * output (default: true). Of a tensor that is not saved, `backward` may only read the shape.
   */
  readonly saves?: { readonly inputs?: readonly number[]; readonly output?: boolean };
}

/** Version of this contract. It changes only if a correct model or optimizer would become incorrect. */
export const operationsSpecVersion = 'lmd-operations-v1';

/**
 * The interface for models: the primitives with convenient arguments, the fused kernels or their compositions, and
 * scopes. Arguments are checked here, once for all backends: an invalid one throws an `LmdError` (`SHAPE_MISMATCH`,
 * `DTYPE_MISMATCH`, `INVALID_ARGUMENT`, `TENSOR_DISPOSED`) that names the operation and the shapes. `@lmd/autograd`
 * provides the same interface with recording, so that a model is written once.
 */
export interface Operations
  extends Record<UnaryName, (x: Tensor) => Tensor>,
    Record<BinaryName, (a: TensorLike, b: TensorLike) => Tensor>,
    Record<ComparisonName, (a: TensorLike, b: TensorLike) => Tensor>,
    ContractMarker<typeof operationsSpecVersion> {
  readonly backend: Backend;

  /** dtype defaults to the data's own: f32, i32 or u8 (an array of numbers is f32). */
  fromData(data: TensorData | Float64Array | readonly number[], shape?: readonly number[], dtype?: DType): Tensor;
  full(shape: readonly number[], value: number, dtype?: DType): Tensor;
  zeros(shape: readonly number[], dtype?: DType): Tensor;
  read(x: Tensor): Promise<TensorData>;
  /** f32 → i32 truncates and saturates at ±2^31, with 0 for NaN; i32 → f32 rounds to nearest. u8 is not converted. */
  cast(x: Tensor, dtype: DType): Tensor;
  where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor;

  sum(x: Tensor, options?: ReduceOptions): Tensor;
  /** The sum divided by the number of elements; it overflows where the sum does. */
  mean(x: Tensor, options?: ReduceOptions): Tensor;
  max(x: Tensor, options?: ReduceOptions): Tensor;
  argMax(x: Tensor, axis?: number): Tensor;

  /** [..., m, k] · [..., k, n] → [..., m, n]. Leading axes are equal, or one operand has rank 2 and is broadcast. */
  matmul(a: Tensor, b: Tensor, options?: MatmulOptions): Tensor;

  /** One extent may be −1. */
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  /** Default permutation: exchanges the last two axes. */
  transpose(x: Tensor, permutation?: readonly number[]): Tensor;
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  concatenate(xs: readonly Tensor[], axis: number): Tensor;
  broadcastTo(x: Tensor, shape: readonly number[]): Tensor;
  pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor;
  gather(x: Tensor, indices: Tensor): Tensor;
  scatterAdd(indices: Tensor, updates: Tensor, rows: number): Tensor;

  randomBits(shape: readonly number[], key: RandomKey): Tensor;
  randomUniform(shape: readonly number[], key: RandomKey): Tensor;
  randomNormal(shape: readonly number[], key: RandomKey): Tensor;

  softmax(x: Tensor): Tensor;
  /**
   * Over the last axis. For rows with magnitudes above about 10^17 the variance may be infinite; the result is then the
   * bias.
   */
  layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon?: number): Tensor;
  gelu(x: Tensor, approximation?: GeluApproximation): Tensor;
  crossEntropy(logits: Tensor, labels: Tensor): Tensor;
  attention(query: Tensor, key: Tensor, value: Tensor, options?: Partial<AttentionOptions>): Tensor;
  /** Has no gradient of its own; use it in `customGradient`, which defines one. */
  fakeQuantize(x: Tensor, options: FakeQuantizeOptions): Tensor;
  roundToBfloat16(x: Tensor): Tensor;
  /**
   * Integer codes of an operand of a product, in blocks along its contraction axis, which is one of the last two. It
   * has no gradient of its own, like `fakeQuantize`. See `BlockProductKernels`; free it with `dispose(operand.tensors)`
   * if no scope does.
   */
  encodeOperand(x: Tensor, options: EncodeOperandOptions): EncodedOperand;
  /** Values of an encoded operand: those of `fakeQuantize`, with +0 instead of −0. */
  decodeOperand(operand: EncodedOperand): Tensor;
  /**
   * [..., m, k] · [..., n, k]ᵀ → [..., m, n] of operands encoded along k, exact within blocks: bit-identical on every
   * backend. Leading axes are as in `matmul`.
   */
  blockMatmul(a: EncodedOperand, b: EncodedOperand): Tensor;
  /**
   * Stores weights as packed codes without decoding them. See `PackedMatrixKernels`; free them with
   * `dispose(matrix.tensors)` if no scope does. Throws, before memory is allocated, `UNSUPPORTED` for a format of other
   * widths (`canPackMatrix`), `SHAPE_MISMATCH` for a number of bytes that does not fit the shape, and `DATA_CORRUPT`
   * for codes of NaN, infinities or the lowest integer.
   */
  packMatrix(source: PackedCodes): PackedMatrix;
  /** x [..., terms] times the transposed rows of a packed matrix → [..., rows]. Sums in f32; no gradient of its own. */
  packedMatmul(x: Tensor, matrix: PackedMatrix): Tensor;
  /** Rows of a packed matrix as values, `indices` i32 → [...indices.shape, terms]. An index out of range gives NaN. */
  packedRows(matrix: PackedMatrix, indices: Tensor): Tensor;
  /** Values of a packed matrix: [rows, terms], for either storage order. */
  decodeMatrix(matrix: PackedMatrix): Tensor;
  /**
   * Codes of rows [..., width] in a block format, each row rounded by itself to nearest: see `CodedRowKernels`. No
   * gradient of its own. Throws `UNSUPPORTED` for a format without scales that are powers of two (`canCodeRows`).
   */
  encodeRows(x: Tensor, format: BlockFormat): CodedRows;
  /** Values of coded rows: those of `fakeQuantize` along the last axis, with +0 instead of −0. */
  decodeRows(rows: CodedRows): Tensor;
  /**
   * Attention without a mask, of query [batch, heads, queries, width] to coded rows [batch, 2 · heads, keys, width]:
   * the keys of all heads, then their values. Default scale: 1/√width. No gradient of its own.
   */
  codedAttention(query: Tensor, rows: CodedRows, scale?: number): Tensor;

  /** Computes `forward`. If gradients are recorded, `backward` defines its derivative. */
  customGradient(inputs: readonly Tensor[], gradient: CustomGradient): Tensor;

  /**
   * Runs `body` and frees every tensor created in it, except those in its result (a tensor, or nested arrays and plain
   * records of tensors), which move to the enclosing scope. Tensors are also freed if `body` throws. `body` must be
   * synchronous: a promise is an error. On a tape, tensors that a gradient needs are kept until the backward pass has
   * used them.
   */
  scope<T>(body: () => T): T;
  /** Keeps a tensor alive after all scopes end, until `dispose`. */
  keep<T extends Tensor>(x: T): T;
  /** Frees tensors immediately. Disposing of a tensor twice is an error (`TENSOR_DISPOSED`). */
  dispose(x: Tensor | readonly Tensor[] | { readonly [name: string]: Tensor }): void;
  isDisposed(x: Tensor): boolean;
  memory(): BackendMemory & { readonly peakBytes: number };
}

/**
 * All operations of a backend, including those without a gradient: gradient kernels, and sampling and updates of
 * optimizers. Created by `createOperations(backend)`.
 */
export interface EagerOperations extends Operations {
  softmaxGradient(y: Tensor, dy: Tensor): Tensor;
  layerNormGradient(x: Tensor, gain: Tensor, dy: Tensor, epsilon?: number): LayerNormGradients;
  geluGradient(x: Tensor, dy: Tensor, approximation?: GeluApproximation): Tensor;
  crossEntropyGradient(logits: Tensor, labels: Tensor, dy: Tensor): Tensor;
  attentionGradient(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dy: Tensor,
    options?: Partial<AttentionOptions>,
  ): AttentionGradients;
  lmdDraw(logPlus: Tensor, logMinus: Tensor, noise: number, key: RandomKey): Tensor;
  lmdUpdate(
    state: LmdTensors,
    gradients: readonly Tensor[],
    keys: readonly RandomKey[],
    logPriorMedian: Tensor,
    options: LmdUpdateOptions,
  ): LmdTensors;
  adamwUpdate(state: AdamwTensors, gradient: Tensor, options: AdamwUpdateOptions): AdamwTensors;
  /** α·x + β·y of f32 tensors of one shape; see `OptimizerKernels`. */
  weightedSum(x: Tensor, alpha: number, y: Tensor, beta: number): Tensor;
  /**
   * Encodes several vectors as codes with block scales, one word per element; see `OptimizerKernels`. There is one key
   * per vector; without keys, it rounds to nearest.
   */
  encodeBlocks(vectors: readonly Tensor[], laws: readonly CodeLaw[], keys?: readonly RandomKey[]): EncodedBlocks;
  /** The vectors with the indices `wanted` (default: all), decoded from their codes. */
  decodeBlocks(encoded: EncodedBlocks, laws: readonly CodeLaw[], wanted?: readonly number[]): readonly Tensor[];
  /**
   * Copies the contents of `x` into an array of its dtype and size, which saves the new one of `read`. It has returned
   * a promise where the backend must wait, and `into` must not be used before that is settled.
   */
  readInto(x: Tensor, into: TensorData): Promise<void> | undefined;
  /**
   * Takes ownership of a tensor that the backend created in another way, such as a handle to a tensor of the
   * surrounding program. It then belongs to the current scope.
   */
  adopt<T extends Tensor>(x: T): T;
  /** Resets `memory().peakBytes` to the current memory use. */
  resetPeakMemory(): void;
}
