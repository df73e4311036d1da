import type { FusedKernelName, FusedKernels } from '../backend.js';
import type { EagerOperations } from '../operations.js';
import { adamwUpdate } from './adamw.js';
import { attention, attentionGradient } from './attention.js';
import { decodeBlocks, encodeBlocks } from './block-codes.js';
import { blockMatmul, decodeOperand, encodeOperand } from './block-products.js';
import { crossEntropy, crossEntropyGradient } from './cross-entropy.js';
import { fakeQuantize } from './fake-quantize.js';
import { gelu, geluGradient } from './gelu.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { lmdDraw, lmdUpdate } from './lmd.js';
import { decodeMatrix, packedMatmul, packedRows, packMatrix } from './packed-matrices.js';
import { roundToBfloat16 } from './round-to-bfloat16.js';
import { softmax, softmaxGradient } from './softmax.js';

export type Compositions = {
  readonly [Name in FusedKernelName]: (
    ops: EagerOperations,
    ...inputs: Parameters<FusedKernels[Name]>
  ) => ReturnType<FusedKernels[Name]>;
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
  encodeBlocks,
  decodeBlocks,
  encodeOperand,
  decodeOperand,
  blockMatmul,
  packMatrix,
  packedMatmul,
  packedRows,
  decodeMatrix,
};
