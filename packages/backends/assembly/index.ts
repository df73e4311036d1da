// The WebAssembly kernels of the cpu backend. All addresses are bytes in the memory that the backend gives; sizes are elements.

export { binary, unary } from './elementwise';
export { geluExact, geluExactGradient, geluTanh, geluTanhGradient } from './gelu';
export { layerNorm, layerNormGradient } from './layer-norm';
export { matmul } from './matmul';
export { copyRows, turnMatrices } from './movement';
export { adamwUpdate, lmdDraw, lmdUpdate } from './optimizers';
export { random } from './random';
export { sumColumns, sumRows } from './reductions';
export { softmax, softmaxGradient } from './softmax';
export { firstFree } from './workspace';
