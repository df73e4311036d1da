import type { BlockProductKernels } from './block-products.js';
import type { CodedRowKernels } from './coded-rows.js';
import type { FakeQuantizeOptions, RandomKey } from './formats.js';
import type { OptimizerKernels } from './optimizer-kernels.js';
import type { PackedMatrixKernels } from './packed-matrices.js';
import type { FloatTensor, IntegerTensor, Tensor } from './tensor.js';

/**
 * Gradients of `layerNorm`. `Type` is `FloatTensor` in kernels and any tensor in operations; the same holds for the
 * types below.
 */
export interface LayerNormGradients<Type extends Tensor = Tensor> {
  readonly x: Type;
  readonly gain: Type;
  readonly bias: Type;
}

export interface AttentionGradients<Type extends Tensor = Tensor> {
  readonly query: Type;
  readonly key: Type;
  readonly value: Type;
}

export interface AttentionOptions {
  /** Factor of the scores before softmax, usually 1/√(head width). */
  readonly scale: number;
  /** Masks keys after the query's position. */
  readonly causal: boolean;
}

export type GeluApproximation = 'none' | 'tanh';

/**
 * Kernels that a backend may implement for speed. If one is missing, core composes it from primitives
 * (`compositions/`); the conformance suite applies the same bounds to both.
 */
export interface FusedKernels extends BlockProductKernels, PackedMatrixKernels, CodedRowKernels, OptimizerKernels {
  /** Along the last axis. */
  softmax(x: FloatTensor): FloatTensor;
  softmaxGradient(y: FloatTensor, dy: FloatTensor): FloatTensor;
  /**
   * Normalizes over the last axis with the biased variance; `gain` and `bias` are [width]. The variance is computed in
   * f32: if the squares of a row overflow, at values above about 10^17, it may be infinite, and the result is the bias.
   */
  layerNorm(x: FloatTensor, gain: FloatTensor, bias: FloatTensor, epsilon: number): FloatTensor;
  layerNormGradient(
    x: FloatTensor,
    gain: FloatTensor,
    dy: FloatTensor,
    epsilon: number,
  ): LayerNormGradients<FloatTensor>;
  gelu(x: FloatTensor, approximation: GeluApproximation): FloatTensor;
  geluGradient(x: FloatTensor, dy: FloatTensor, approximation: GeluApproximation): FloatTensor;
  /** logits [rows, classes], labels i32 [rows] → −log softmax at the label, [rows]. A label out of range gives NaN. */
  crossEntropy(logits: FloatTensor, labels: IntegerTensor): FloatTensor;
  /** `dy` [rows] → [rows, classes]. */
  crossEntropyGradient(logits: FloatTensor, labels: IntegerTensor, dy: FloatTensor): FloatTensor;
  /** query, key, value [batch, heads, length, width] → the same shape as query with value's width. */
  attention(query: FloatTensor, key: FloatTensor, value: FloatTensor, options: AttentionOptions): FloatTensor;
  attentionGradient(
    query: FloatTensor,
    key: FloatTensor,
    value: FloatTensor,
    dy: FloatTensor,
    options: AttentionOptions,
  ): AttentionGradients<FloatTensor>;
  /**
   * Rounds each block to the format and back. The result equals the values that the packed codes decode to, bit for
   * bit.
   */
  fakeQuantize(
    x: FloatTensor,
    options: Required<Omit<FakeQuantizeOptions, 'key'>> & { readonly key?: RandomKey },
  ): FloatTensor;
  /** Rounds f32 to BF16 (nearest, ties to even) and back. */
  roundToBfloat16(x: FloatTensor): FloatTensor;
}

export type FusedKernelName = keyof FusedKernels;

/** Names of all fused kernels, in the order of the contract; `compositions` has one for each. */
export const fusedKernelNames = [
  'softmax',
  'softmaxGradient',
  'layerNorm',
  'layerNormGradient',
  'gelu',
  'geluGradient',
  'crossEntropy',
  'crossEntropyGradient',
  'attention',
  'attentionGradient',
  'fakeQuantize',
  'roundToBfloat16',
  'lmdDraw',
  'lmdUpdate',
  'adamwUpdate',
  'weightedSum',
  'encodeBlocks',
  'decodeBlocks',
  'encodeOperand',
  'decodeOperand',
  'blockMatmul',
  'packMatrix',
  'packedMatmul',
  'packedRows',
  'decodeMatrix',
  'encodeRows',
  'decodeRows',
  'codedAttention',
] as const satisfies readonly FusedKernelName[];

/** Kernels that exchange tensors in the backend's own layout: a backend implements all of a family or none. */
export const kernelFamilies = [
  ['encodeOperand', 'decodeOperand', 'blockMatmul'],
  ['packMatrix', 'packedMatmul', 'packedRows', 'decodeMatrix'],
  ['encodeRows', 'decodeRows', 'codedAttention'],
] as const satisfies readonly (readonly FusedKernelName[])[];
