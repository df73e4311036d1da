import type { RandomKey } from './formats.js';
import type { FloatTensor, Tensor } from './tensor.js';

/**
 * The prior of the positive halves, as the gradient R of its negative log density in log m (LMD). Our choices; see
 * `lmd`.
 */
export type LmdRegularizer = 'logNormalPrior' | 'powerPrior' | 'exponentialPrior' | 'halfNormalPrior';

/** In `Type`, here and below: `FloatTensor` where a kernel takes or gives them, any tensor where an operation does. */
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

export interface EncodedBlocks<Type extends Tensor = Tensor> {
  /**
   * f32 integers under 2^24, of the shape of the vectors: a code of each, the first in the highest bits, plus 2^(bits −
   * 1). All backends hold them exactly, also where a type of bytes is stored in more.
   */
  readonly words: Type;
  /** The scales of each vector, f32 [blocks], or a scalar where there is one block. */
  readonly scales: readonly Type[];
}

/** The fused kernels of optimizers and of their states: draws, updates, and states as codes. */
export interface OptimizerKernels {
  /**
   * w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻), with e⁺ the normals of `key` and e⁻ those of the same key with the stream's
   * complement (~stream, unsigned).
   */
  lmdDraw(logPlus: FloatTensor, logMinus: FloatTensor, noise: number, key: RandomKey): FloatTensor;
  /**
   * One LMD step (see `lmd`): `gradients[s]` is d loss / d w at the draw of `keys[s]`, whose noise is drawn again.
   * `logPriorMedian` is a scalar tensor, log m₀.
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
   * The vectors of the indices `wanted`, from what `encodeBlocks` gave for the same laws, to the bit: c·s or (c·|c|)·s.
   */
  decodeBlocks(
    encoded: EncodedBlocks<FloatTensor>,
    laws: readonly CodeLaw[],
    wanted: readonly number[],
  ): readonly FloatTensor[];
}
