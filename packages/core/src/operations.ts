import type { Backend, BackendMemory, BinaryName, ComparisonName, UnaryName } from './backend.js';
import type { EncodedOperand, EncodeOperandOptions } from './block-products.js';
import type { FakeQuantizeOptions, RandomKey } from './formats.js';
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

/** A tensor, or a number that stands for a scalar: of f32, or of the dtype beside it in a comparison and in `where`. */
export type TensorLike = Tensor | number;

export interface ReduceOptions {
  /** Which axes; negative counts from the end; all when absent. */
  readonly axes?: number | readonly number[];
  /** Keeps reduced axes with extent 1. Default false. */
  readonly keepDims?: boolean;
}

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

export interface CustomGradient {
  /**
   * Runs with plain operations: what it computes is not recorded. Of the tensors that it makes, those passed to `keep` live on for
   * `backward`, as saved inputs do; the others are freed.
   */
  forward(ops: Operations, inputs: readonly Tensor[], keep: (tensors: NamedTensors) => void): Tensor;
  /**
   * From dy, of the output's shape, the gradient for each input, or null where there is none. `inputs` and `output` are
   * alive and unchanged. What it returns it hands over; other tensors that it makes are freed. Where `wanted[i]` is
   * false, the gradient of input i is not needed, and null saves the work.
   */
  backward(
    ops: Operations,
    dy: Tensor,
    inputs: readonly Tensor[],
    output: Tensor,
    wanted: readonly boolean[],
  ): readonly (Tensor | null)[];
  /**
   * What `backward` reads, so that the rest can be freed before it runs: positions of inputs (default all) and the
   * output (default true). Of an argument that is not saved, `backward` may read the shape and nothing else.
   */
  readonly saves?: { readonly inputs?: readonly number[]; readonly output?: boolean };
}

/**
 * What models are written against: the primitives with convenient arguments, the fused kernels or their compositions,
 * and scopes. Arguments are checked here, once for every backend: a mistake throws an `LmdError` (`SHAPE_MISMATCH`,
 * `DTYPE_MISMATCH`, `INVALID_ARGUMENT`, `TENSOR_DISPOSED`) that names the operation and the shapes. `@lmd/autograd`
 * gives an object of the same interface that also records, so a model is written once.
 */
export interface Operations
  extends Record<UnaryName, (x: Tensor) => Tensor>,
    Record<BinaryName, (a: TensorLike, b: TensorLike) => Tensor>,
    Record<ComparisonName, (a: TensorLike, b: TensorLike) => Tensor> {
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
  /** The sum over the count: beyond the range of f32 where the sum is. */
  mean(x: Tensor, options?: ReduceOptions): Tensor;
  max(x: Tensor, options?: ReduceOptions): Tensor;
  argMax(x: Tensor, axis?: number): Tensor;

  /** [..., m, k] · [..., k, n]: leading axes are equal, or one operand has rank 2 and is shared. */
  matmul(a: Tensor, b: Tensor, options?: MatmulOptions): Tensor;

  /** One extent may be −1. */
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  /** Without a permutation the last two axes are exchanged. */
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
   * Over the last axis. For rows with magnitudes above some 10^17 the variance may be infinite, and the result the bias
   * alone.
   */
  layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon?: number): Tensor;
  gelu(x: Tensor, approximation?: GeluApproximation): Tensor;
  crossEntropy(logits: Tensor, labels: Tensor): Tensor;
  attention(query: Tensor, key: Tensor, value: Tensor, options?: Partial<AttentionOptions>): Tensor;
  /** Not differentiable by itself: wrap it in `customGradient` to say what its gradient is. */
  fakeQuantize(x: Tensor, options: FakeQuantizeOptions): Tensor;
  roundToBfloat16(x: Tensor): Tensor;
  /**
   * The integer codes of a product's operand, in blocks along its contraction axis, which is one of the last two. Like `fakeQuantize` it has
   * no gradient of its own. See `BlockProductKernels`; free it with `dispose(operand.tensors)` where no scope does.
   */
  encodeOperand(x: Tensor, options: EncodeOperandOptions): EncodedOperand;
  /** The values of an encoded operand: those of `fakeQuantize`, but +0 for −0. */
  decodeOperand(operand: EncodedOperand): Tensor;
  /**
   * [..., m, k] · [..., n, k]ᵀ → [..., m, n] of operands encoded along k, exact within blocks: the same bits on every backend. Leading axes
   * are as in `matmul`.
   */
  blockMatmul(a: EncodedOperand, b: EncodedOperand): Tensor;
  /**
   * Takes weights as packed codes, as a file holds them, without decoding them. See `PackedMatrixKernels`; free it with
   * `dispose(matrix.tensors)` where no scope does. Throws `UNSUPPORTED` for a format of other widths (`canPackMatrix`), `SHAPE_MISMATCH` for
   * another number of bytes than the shape takes, `DATA_CORRUPT` for codes of NaN, infinities or the least integer: before memory is taken.
   */
  packMatrix(source: PackedCodes): PackedMatrix;
  /** x [..., terms] times the transposed rows of a packed matrix → [..., rows]. Sums in f32; no gradient of its own. */
  packedMatmul(x: Tensor, matrix: PackedMatrix): Tensor;
  /** Rows of a packed matrix as values, `indices` i32 → [...indices.shape, terms]. An index out of range gives NaN. */
  packedRows(matrix: PackedMatrix, indices: Tensor): Tensor;
  /** The values of a packed matrix: [rows, terms], whichever way it was stored. */
  decodeMatrix(matrix: PackedMatrix): Tensor;

  /** Computes `forward`; where gradients are recorded, `backward` is its derivative. */
  customGradient(inputs: readonly Tensor[], gradient: CustomGradient): Tensor;

  /**
   * Runs `body` and frees every tensor made in it but those found in its result (a tensor, or arrays and plain records
   * of them, nested), which pass to the enclosing scope. Also frees when `body` throws. `body` must be synchronous: a
   * promise is refused. On a tape, what a gradient still needs is kept until the backward pass has used it.
   */
  scope<T>(body: () => T): T;
  /** Keeps a tensor alive beyond all scopes, until `dispose`. */
  keep<T extends Tensor>(x: T): T;
  /** Frees tensors now. Freeing one twice is an error (`TENSOR_DISPOSED`). */
  dispose(x: Tensor | readonly Tensor[] | { readonly [name: string]: Tensor }): void;
  isDisposed(x: Tensor): boolean;
  memory(): BackendMemory & { readonly peakBytes: number };
}

/**
 * All operations of a backend, those included that no gradient passes through: gradient kernels, and the draws and
 * updates of optimizers. `createOperations(backend)` makes them.
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
  /**
   * Codes of several vectors with block scales, in one word an element; see `FusedKernels`. A key a vector; without
   * keys, to nearest.
   */
  encodeBlocks(vectors: readonly Tensor[], laws: readonly CodeLaw[], keys?: readonly RandomKey[]): EncodedBlocks;
  /** The vectors of the indices `wanted` (all when absent) from their codes. */
  decodeBlocks(encoded: EncodedBlocks, laws: readonly CodeLaw[], wanted?: readonly number[]): readonly Tensor[];
  /**
   * Takes charge of a tensor that the backend made by other means than these operations, such as a handle on a tensor
   * of the program around it. It belongs to the current scope from then on.
   */
  adopt<T extends Tensor>(x: T): T;
  /** Starts `memory().peakBytes` afresh, from what is held now. */
  resetPeakMemory(): void;
}
