import type { AttentionGradients, FusedKernelName, FusedKernels, LayerNormGradients } from '../fused-kernels.js';
import type { EagerOperations } from '../operations.js';
import type { AdamwTensors, EncodedBlocks, LmdTensors } from '../optimizer-kernels.js';
import type { Tensor } from '../tensor.js';
import { adamwUpdate } from './adamw.js';
import { attention, attentionGradient } from './attention.js';
import { decodeBlocks, encodeBlocks } from './block-codes.js';
import { blockMatmul, decodeOperand, encodeOperand } from './block-products.js';
import { codedAttention, decodeRows, encodeRows } from './coded-rows.js';
import { crossEntropy, crossEntropyGradient } from './cross-entropy.js';
import { fakeQuantize } from './fake-quantize.js';
import { gelu, geluGradient } from './gelu.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { lmdDraw, lmdUpdate } from './lmd.js';
import { decodeMatrix, packedMatmul, packedRows, packMatrix } from './packed-matrices.js';
import { roundToBfloat16 } from './round-to-bfloat16.js';
import { softmax, softmaxGradient } from './softmax.js';
import { weightedSum } from './weighted-sum.js';

/** What a kernel takes or gives, with any tensor in place of one of a known dtype: as operations take and give it. */
type Loose<Value> = Value extends Tensor
  ? Tensor
  : Value extends readonly Tensor[]
    ? readonly Tensor[]
    : Value extends LayerNormGradients
      ? LayerNormGradients
      : Value extends AttentionGradients
        ? AttentionGradients
        : Value extends LmdTensors
          ? LmdTensors
          : Value extends AdamwTensors
            ? AdamwTensors
            : Value extends EncodedBlocks
              ? EncodedBlocks
              : Value;
type EachLoose<Values extends readonly unknown[]> = { [Index in keyof Values]: Loose<Values[Index]> };

export type Compositions = {
  readonly [Name in FusedKernelName]: (
    ops: EagerOperations,
    ...inputs: EachLoose<Parameters<FusedKernels[Name]>>
  ) => Loose<ReturnType<FusedKernels[Name]>>;
};

/**
 * Each fused kernel, put together from primitives: what runs where a backend has no such kernel, and what the kernel
 * must match.
 */
export const compositions: Compositions = {
  softmax,
  softmaxGradient,
  layerNorm,
  layerNormGradient,
  gelu,
  geluGradient,
  crossEntropy,
  crossEntropyGradient,
  attention,
  attentionGradient,
  fakeQuantize,
  roundToBfloat16,
  lmdDraw,
  lmdUpdate,
  adamwUpdate,
  weightedSum,
  encodeBlocks,
  decodeBlocks,
  encodeOperand,
  decodeOperand,
  blockMatmul,
  packMatrix,
  packedMatmul,
  packedRows,
  decodeMatrix,
  encodeRows,
  decodeRows,
  codedAttention,
};
