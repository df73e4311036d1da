// The WebAssembly kernels of the cpu backend. All addresses are bytes in the memory that the backend gives; sizes are
// elements. A kernel does the part `from` to `to` of its work, so that threads share it, each with an instance of the
// module on the same memory.

export { decodeBlocks, encodeBlocks } from './block-codes';
export { blockMatmul, scaleProduct } from './block-matmul';
export { codedAttention, decodeRows, encodeRows } from './coded-rows';
export { crossEntropy, crossEntropyGradient } from './cross-entropy';
export { decodeOperand } from './decode-operand';
export { binary, select, unary, weightedSum } from './elementwise';
export { geluExact, geluExactGradient, geluTanh, geluTanhGradient } from './gelu';
export { gatherRows, scatterAddRows } from './indexed-rows';
export { layerNorm, layerNormGradient } from './layer-norm';
export { matmul } from './matmul';
export { copyRows, turnMatrices } from './movement';
export { adamwUpdate, lmdDraw, lmdUpdate } from './optimizers';
export { decodePackedRows, packedRowProducts } from './packed-rows';
export { random } from './random';
export { addParts, argMaxRows, maxRows, maxSlabs, sumColumnParts, sumRowParts, sumRows, sumSlabs } from './reductions';
export { softmax, softmaxGradient } from './softmax';
export { firstFree, initialize, workspaceBytes } from './workspace';
