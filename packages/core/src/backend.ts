import type { BlockProductKernels } from './block-products.js';
import type { FakeQuantizeOptions, RandomKey } from './formats.js';
import type { PackedMatrixKernels } from './packed-matrices.js';
import type { DType, Tensor, TensorData } from './tensor.js';

/** The version of this contract. It changes only when a backend that was right before would be wrong after. */
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
 * The primitive operations: what every backend provides, forward only. Core calls them with arguments already checked
 * (`createOperations`), so a backend states no shape errors of its own. An operation enqueues and returns at once; a
 * failure that shows later surfaces from `read` as an `LmdError` with code `BACKEND_FAILURE`. Tensors are immutable,
 * and each result is a new handle to be disposed of by itself, also when it shares storage (`reshape`).
 */
export interface Primitives
  extends Record<UnaryName, (x: Tensor) => Tensor>,
    Record<BinaryName, (a: Tensor, b: Tensor) => Tensor>,
    Record<ComparisonName, (a: Tensor, b: Tensor) => Tensor> {
  // Creation and readback
  /**
   * Copies `data`, whose kind fits `dtype`; a Float64Array is accepted for f32 and rounded to what the backend stores.
   */
  fromData(data: TensorData | Float64Array, shape: readonly number[], dtype: DType): Tensor;
  full(shape: readonly number[], value: number, dtype: DType): Tensor;
  /** A copy of the contents, row-major, once everything enqueued before has run. */
  read(x: Tensor): Promise<TensorData>;
  /** Frees the handle. Core never calls it twice for one handle. */
  dispose(x: Tensor): void;
  /**
   * Between f32 and i32. f32 → i32 truncates toward zero and saturates: values beyond the range and infinities give
   * −2^31 or 2^31 − 1, NaN gives 0. i32 → f32 rounds to nearest, ties to even.
   */
  cast(x: Tensor, dtype: DType): Tensor;

  /**
   * `condition` i32 (non-zero is true), `a` and `b` of one dtype, all three broadcast. A NaN not chosen does not leak.
   */
  where(condition: Tensor, a: Tensor, b: Tensor): Tensor;

  // Reductions over the sorted, distinct, non-negative `axes` (never empty); the axes are removed. `max` keeps NaN.
  sum(x: Tensor, axes: readonly number[]): Tensor;
  max(x: Tensor, axes: readonly number[]): Tensor;
  /** Index (i32) of the first maximum along `axis`, which is removed. */
  argMax(x: Tensor, axis: number): Tensor;

  /**
   * Batched matrix product of rank-3 f32 tensors [batch, m, k] · [batch, k, n] → [batch, m, n]; either batch may be 1,
   * which is shared by all. A transpose flag means that operand's last two axes are stored the other way round.
   */
  matmul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;

  // Shape
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  transpose(x: Tensor, permutation: readonly number[]): Tensor;
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  concatenate(xs: readonly Tensor[], axis: number): Tensor;
  /** Materialises NumPy broadcasting; `shape` is at least as long as `x.shape`. */
  broadcastTo(x: Tensor, shape: readonly number[]): Tensor;
  /** Adds `before[i]` and `after[i]` zeros around axis i. */
  pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor;
  /**
   * Rows of `x` [rows, ...rest] at `indices` (i32, any shape) → [...indices.shape, ...rest]. An index out of range
   * gives NaN rows (f32).
   */
  gather(x: Tensor, indices: Tensor): Tensor;
  /**
   * Zeros of [rows, ...rest], plus each row of `updates` [...indices.shape, ...rest] added at its index; repeats add
   * up, in index order. Out of range is ignored.
   */
  scatterAdd(indices: Tensor, updates: Tensor, rows: number): Tensor;

  // Random numbers (Philox4x32-10; see `RandomKey` and `philox.ts`)
  /**
   * i32 tensor holding the 32 random bits of each element: lane i & 3 of counter block i >> 2. Equal on every backend.
   */
  randomBits(shape: readonly number[], key: RandomKey): Tensor;
  /** f32 in [0, 1): the upper 24 bits times 2^-24. Equal on every backend. */
  randomUniform(shape: readonly number[], key: RandomKey): Tensor;
  /** f32 standard normals by Box–Muller (see `normalsFromBits`); within a few ulp on every backend. */
  randomNormal(shape: readonly number[], key: RandomKey): Tensor;
}

/** The names of all primitive operations. */
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
] as const satisfies readonly (keyof Primitives)[];

export interface LayerNormGradients {
  readonly x: Tensor;
  readonly gain: Tensor;
  readonly bias: Tensor;
}

export interface AttentionOptions {
  /** Factor on the scores before softmax; 1/√(head width) in the usual layer. */
  readonly scale: number;
  /** Masks keys after the query's position. */
  readonly causal: boolean;
}

export type GeluApproximation = 'none' | 'tanh';

/**
 * The prior of the positive halves, as the gradient R of its negative log density in log m (LMD). Our choices; see
 * `lmd`.
 */
export type LmdRegularizer = 'logNormalPrior' | 'powerPrior' | 'exponentialPrior' | 'halfNormalPrior';

export interface LmdTensors {
  /** log m⁺ and log m⁻, shape of the weight. */
  readonly logPlus: Tensor;
  readonly logMinus: Tensor;
  /** v⁺ and v⁻. With `gradientScaling: 'none'` one momentum serves both: v⁻ = −v⁺, and `momentumMinus` is absent. */
  readonly momentumPlus: Tensor;
  readonly momentumMinus?: Tensor;
}

export interface LmdUpdateOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly regularization: number;
  readonly regularizer: LmdRegularizer;
  readonly noise: number;
  readonly gradientScaling: 'sample' | 'none';
  readonly useSign: boolean;
}

export interface AdamwTensors {
  readonly weights: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
}

export interface AdamwUpdateOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 1-based count of this update, for the bias corrections. */
  readonly step: number;
}

/** Consecutive elements, in row-major order, that share a scale in `encodeBlocks`; the last block may be short. */
export const codeBlockSize = 128;

/**
 * How numbers become integer codes c from −(2^(bits − 1) − 1) to 2^(bits − 1) − 1, by a scale s, a power of two, of
 * their block: `linear` c·s; `square` c·|c|·s, whose steps shrink toward 0, for vectors that range over magnitudes
 * within a block.
 */
export interface CodeLaw {
  readonly law: 'linear' | 'square';
  /** At least 3. The codes that share a word have at most 24 bits together. */
  readonly bits: number;
}

export interface EncodedBlocks {
  /**
   * f32 integers under 2^24, of the shape of the vectors: a code of each, the first in the highest bits, plus 2^(bits −
   * 1). All backends hold them exactly, also where a type of bytes is stored in more.
   */
  readonly words: Tensor;
  /** The scales of each vector, f32 [blocks], or a scalar where there is one block. */
  readonly scales: readonly Tensor[];
}

/**
 * Kernels that a backend may add for speed. Core composes each from primitives where it is absent (`compositions/`), so
 * none is needed, and the suite holds both to the same bounds.
 */
export interface FusedKernels extends BlockProductKernels, PackedMatrixKernels {
  /** Along the last axis. */
  softmax(x: Tensor): Tensor;
  softmaxGradient(y: Tensor, dy: Tensor): Tensor;
  /**
   * Over the last axis, biased variance; `gain` and `bias` [width]. The variance is one of f32: where the squares of a
   * row add up beyond it, which takes values above some 10^17, a backend may find it infinite and give the bias alone.
   */
  layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor;
  layerNormGradient(x: Tensor, gain: Tensor, dy: Tensor, epsilon: number): LayerNormGradients;
  gelu(x: Tensor, approximation: GeluApproximation): Tensor;
  geluGradient(x: Tensor, dy: Tensor, approximation: GeluApproximation): Tensor;
  /** logits [rows, classes], labels i32 [rows] → −log softmax at the label, [rows]. A label out of range gives NaN. */
  crossEntropy(logits: Tensor, labels: Tensor): Tensor;
  /** `dy` [rows] → [rows, classes]. */
  crossEntropyGradient(logits: Tensor, labels: Tensor, dy: Tensor): Tensor;
  /** query, key, value [batch, heads, length, width] → the same shape as query with value's width. */
  attention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions): Tensor;
  attentionGradient(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dy: Tensor,
    options: AttentionOptions,
  ): { readonly query: Tensor; readonly key: Tensor; readonly value: Tensor };
  /** Rounds each block to the format and back: the values that the packed codes would decode to, bit for bit. */
  fakeQuantize(x: Tensor, options: Required<Omit<FakeQuantizeOptions, 'key'>> & { readonly key?: RandomKey }): Tensor;
  /** Rounds f32 to BF16 (nearest, ties to even) and back. */
  roundToBfloat16(x: Tensor): Tensor;
  /**
   * w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻), with e⁺ the normals of `key` and e⁻ those of the same key with the stream's
   * complement (~stream, unsigned).
   */
  lmdDraw(logPlus: Tensor, logMinus: Tensor, noise: number, key: RandomKey): Tensor;
  /**
   * One LMD step (see `lmd`): `gradients[s]` is d loss / d w at the draw of `keys[s]`, whose noise is drawn again.
   * `logPriorMedian` is a scalar tensor, log m₀.
   */
  lmdUpdate(
    state: LmdTensors,
    gradients: readonly Tensor[],
    keys: readonly RandomKey[],
    logPriorMedian: Tensor,
    options: LmdUpdateOptions,
  ): LmdTensors;
  adamwUpdate(state: AdamwTensors, gradient: Tensor, options: AdamwUpdateOptions): AdamwTensors;
  /**
   * Rounds f32 vectors of one shape to codes, each by its law, with a scale for each block of `codeBlockSize` elements,
   * and packs the codes into words, to the bit as core's composition does:
   *
   * - s is the least power of two, no less than 2^-100, by which the block's largest magnitude, divided by the units of
   *   the largest code (by multiplying with f32(1/units)), fits. It follows the exponent alone, so a block whose
   *   maximum wanders keeps its grid.
   * - A magnitude r·s lies between two codes, b = ⌊r⌋ (`square`: ⌊√r⌋) and b + 1, f = r − b (`square`: (r − b²)/(2b +
   *   1)) of the way, each step rounded to f32. It becomes b + 1 where u < f, and no more than the largest code; u is
   *   the element's uniform of the vector's key (`randomUniform`), ½ without keys.
   * - A NaN or an infinity makes the scale of its block NaN and its codes 0.
   */
  encodeBlocks(
    vectors: readonly Tensor[],
    laws: readonly CodeLaw[],
    keys: readonly RandomKey[] | undefined,
  ): EncodedBlocks;
  /**
   * The vectors of the indices `wanted`, from what `encodeBlocks` gave for the same laws, to the bit: c·s or (c·|c|)·s.
   */
  decodeBlocks(encoded: EncodedBlocks, laws: readonly CodeLaw[], wanted: readonly number[]): readonly Tensor[];
}

export type FusedKernelName = keyof FusedKernels;

export interface BackendMemory {
  readonly tensors: number;
  readonly bytes: number;
}

/** What is optional in a backend, for the suite and for the user to read. */
export interface BackendSupport {
  /** Largest number of elements of one tensor. */
  readonly maxElements: number;
  /** False where the arithmetic may flush subnormals to zero. */
  readonly subnormals: boolean;
}

/**
 * A backend, version 1: a plain object. To write one, implement `Primitives`, pass `backendConformance` from
 * `@lmd/conformance`, then add `fused` kernels one at a time.
 */
export interface Backend extends Primitives {
  readonly specVersion: typeof backendSpecVersion;
  /** Short and lower case: `reference`, `tfjs-wasm`. */
  readonly name: string;
  /** What runs it, for the user to read: `TensorFlow.js 4.22.0 wasm (SIMD)`. */
  readonly device: string;
  readonly supports: BackendSupport;
  readonly fused: Partial<FusedKernels>;
  /** What the backend holds now for live handles. */
  memory(): BackendMemory;
  /** Frees everything, the engine included where this backend started it. */
  close?(): void;
}
