export { MXConv2D, type MXConv2DArgs, mxConv2d } from './layers/mx-conv2d.js';
export { MXDense, type MXDenseArgs, mxDense } from './layers/mx-dense.js';
export { LMDOptimizer } from './lmd-optimizer.js';
export type { LMDOptimizerOptions } from './lmd-optimizer-options.js';
export type { LayerPrecision, LayerPrecisionOptions, OperandFormat } from './precision.js';
export { type QuantizeMXOptions, quantizeMX } from './quantize-mx.js';
