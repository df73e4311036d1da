import type { RandomKey } from './formats.js';
import type { FloatTensor, Tensor } from './tensor.js';

/**
 * Prior of the positive halves, named by the gradient R of its negative log density with respect to log m (LMD). Our
 * choices; see `lmd`.
 */
export type LmdRegularizer = 'logNormalPrior' | 'powerPrior' | 'exponentialPrior' | 'halfNormalPrior';

/**
 * State of one weight of LMD. `Type` is `FloatTensor` in kernels and any tensor in operations; the same holds for the
 * types below.
 */
export interface LmdTensors<Type extends Tensor = Tensor> {
  /** log m⁺ and log m⁻, shape of the weight. */
  readonly logPlus: Type;
  readonly logMinus: Type;
  /** v⁺ and v⁻. With `gradientScaling: 'none'` one momentum serves both: v⁻ = −v⁺, and `momentumMinus` is absent. */
  readonly momentumPlus: Type;
  readonly momentumMinus?: Type;
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

export interface AdamwTensors<Type extends Tensor = Tensor> {
  readonly weights: Type;
  readonly firstMoment: Type;
  readonly secondMoment: Type;
}

export interface AdamwUpdateOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of this update, counted from 1, for the bias corrections. */
  readonly step: number;
}

/**
 * Number of consecutive elements, in row-major order, that share a scale in `encodeBlocks`; the last block may be
 * shorter.
 */
export const codeBlockSize = 128;

/**
 * Mapping of numbers to integer codes c from −(2^(bits − 1) − 1) to 2^(bits − 1) − 1, with a power-of-two scale s per
 * block. `linear`: c·s. `square`: c·|c|·s, with smaller steps near 0, for vectors with a wide range of magnitudes
 * within a block.
 */
export interface CodeLaw {
  readonly law: 'linear' | 'square';
  /** At least 3. The codes in one word have at most 24 bits in total. */
  readonly bits: number;
}

export interface EncodedBlocks<Type extends Tensor = Tensor> {
  /**
   * f32 integers below 2^24, with the shape of the vectors: one code per vector, the first in the highest bits, each
   * plus 2^(bits − 1). Every backend stores them exactly, including those that store u8 in more than one byte.
   */
  readonly words: Type;
  /** Scales of each vector: f32 [blocks], or a scalar if there is one block. */
  readonly scales: readonly Type[];
}

/** Fused kernels of optimizers: sampling, updates, and states stored as codes. */
export interface OptimizerKernels {
  /**
   * Samples w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻). e⁺ are the normals of `key`; e⁻ are those of the same key with the
   * complement of the stream (~stream, unsigned).
   */
  lmdDraw(logPlus: FloatTensor, logMinus: FloatTensor, noise: number, key: RandomKey): FloatTensor;
  /**
   * One LMD step (see `lmd`). `gradients[s]` is d loss / d w at the sample of `keys[s]`, whose noise is generated
   * again. `logPriorMedian` is a scalar tensor, log m₀.
   */
  lmdUpdate(
    state: LmdTensors<FloatTensor>,
    gradients: readonly FloatTensor[],
    keys: readonly RandomKey[],
    logPriorMedian: FloatTensor,
    options: LmdUpdateOptions,
  ): LmdTensors<FloatTensor>;
  adamwUpdate(
    state: AdamwTensors<FloatTensor>,
    gradient: FloatTensor,
    options: AdamwUpdateOptions,
  ): AdamwTensors<FloatTensor>;
  /**
   * α·x + β·y of tensors of one shape (`axpby` of BLAS), for momenta and steps. Each product and the sum are rounded to
   * f32, so that it has the bits of the primitives.
   */
  weightedSum(x: FloatTensor, alpha: number, y: FloatTensor, beta: number): FloatTensor;
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
    vectors: readonly FloatTensor[],
    laws: readonly CodeLaw[],
    keys: readonly RandomKey[] | undefined,
  ): EncodedBlocks<FloatTensor>;
  /**
   * The vectors with the indices `wanted`, decoded from the result of `encodeBlocks` for the same laws, bit for bit:
   * c·s or (c·|c|)·s.
   */
  decodeBlocks(
    encoded: EncodedBlocks<FloatTensor>,
    laws: readonly CodeLaw[],
    wanted: readonly number[],
  ): readonly FloatTensor[];
}
