import type { EncodedOperand } from './block-products.js';
import type { Quantization } from './formats.js';
import type { Operations } from './operations.js';
import type { DrawKey } from './optimizers/optimizer.js';
import type { PackedMatrices } from './packed-matrices.js';
import type { NamedTensors, Tensor } from './tensor.js';

/** To what an operand of a matrix product is rounded before the product, which accumulates in f32. */
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
  /** Turns dropout and the like on. */
  readonly training: boolean;
  readonly precision: Precision;
  /** Names the noise of this pass (dropout, stochastic rounding). */
  readonly key: DrawKey;
  /** Weights whose codes for the forward products are there already, where many passes share them. */
  readonly encodedWeights?: ReadonlyMap<Tensor, EncodedOperand> | undefined;
  /** Weights that are kept as packed codes, by name. For inference: they take the place of the tensors of those names. */
  readonly packedWeights?: PackedMatrices | undefined;
}

/**
 * A model is a plain value: no weights inside, no state. Weights go by dotted names, as in `blocks.0.mlp.up.weight`.
 */
export interface Model {
  readonly name: string;
  /** Shapes of the weights, in the order of the forward pass. */
  readonly parameters: { readonly [name: string]: { readonly shape: readonly number[] } };
  /**
   * Of a model of tokens, how many there are: 0 to vocabularySize − 1. `train` and `evaluate` check their inputs
   * against it.
   */
  readonly vocabularySize?: number;
  /** Initial weights: a function of the seed alone, the same on every backend to a few ulp. */
  initialize(ops: Operations, seed: number): NamedTensors;
  /**
   * Logits [batch, classes] or [batch, length, classes] for `inputs` (images [batch, height, width, channels], f32, or
   * tokens [batch, length], i32).
   */
  forward(ops: Operations, weights: NamedTensors, inputs: Tensor, context: ForwardContext): Tensor;
}
