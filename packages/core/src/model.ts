import type { EncodedOperand } from './block-products.js';
import type { ContractMarker } from './contract-version.js';
import type { Quantization } from './formats.js';
import type { Operations } from './operations.js';
import type { DrawKey } from './optimizers/optimizer.js';
import type { PackedMatrices } from './packed-matrices.js';
import type { NamedTensors, Tensor } from './tensor.js';

/** Format to which an operand of a matrix product is rounded; products accumulate in f32. */
export type OperandPrecision = 'f32' | 'bf16' | Quantization;

/**
 * The precision of each operand of each matrix product: forward x·W; backward dy·Wᵀ (input gradient) and xᵀ·dy (weight
 * gradient). Each product quantizes its operands along its own contraction axis. In attention, both operands of both
 * products are activations. The rest of the network stays in f32.
 */
export interface Precision {
  readonly forward: { readonly weights: OperandPrecision; readonly activations: OperandPrecision };
  readonly backward: {
    readonly weights: OperandPrecision;
    readonly activations: OperandPrecision;
    readonly gradients: OperandPrecision;
  };
}

export interface ForwardContext {
  /** Enables dropout and other operations of training only. */
  readonly training: boolean;
  readonly precision: Precision;
  /** Random key of this pass (dropout, stochastic rounding). */
  readonly key: DrawKey;
  /** Encoded weights of the forward products, shared by several passes. */
  readonly encodedWeights?: ReadonlyMap<Tensor, EncodedOperand> | undefined;
  /** Weights stored as packed codes, by name, for inference. They replace the tensors of these names. */
  readonly packedWeights?: PackedMatrices | undefined;
}

/** Version of this contract. It changes only if a correct model would become incorrect. */
export const modelSpecVersion = 'lmd-model-v1';

/** A model is a plain object without weights or state. Weights have dotted names, such as `blocks.0.mlp.up.weight`. */
export interface Model extends ContractMarker<typeof modelSpecVersion> {
  readonly name: string;
  /** Shapes of the weights, in the order of the forward pass. */
  readonly parameters: { readonly [name: string]: { readonly shape: readonly number[] } };
  /**
   * Vocabulary size of a language model; tokens are 0 to vocabularySize − 1. `train` and `evaluate` check their inputs
   * against it.
   */
  readonly vocabularySize?: number;
  /** Initial weights, determined by the seed; equal on all backends to a few ulp. */
  initialize(ops: Operations, seed: number): NamedTensors;
  /**
   * Logits [batch, classes] or [batch, length, classes] for `inputs` (images [batch, height, width, channels], f32, or
   * tokens [batch, length], i32).
   */
  forward(ops: Operations, weights: NamedTensors, inputs: Tensor, context: ForwardContext): Tensor;
}
