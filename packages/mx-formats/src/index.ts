export * from './block-formats.js';
export { dequantize, dequantizePlain } from './dequantize.js';
export { decodeElement, decodeElements, type ElementName, encodeElement, encodeElements } from './element-codes.js';
export * from './element-formats.js';
export { isMxFormatError, MxFormatError, type MxFormatErrorCode, type MxFormatErrorDetails } from './errors.js';
export { fakeQuantize } from './fake-quantize.js';
export { roundToBfloat16, roundToFloat16 } from './half-precision.js';
export {
  type InMemoryArguments,
  type InMemoryKernels,
  type InMemoryPlan,
  inMemoryOrder,
  kernelModule,
  planInMemory,
} from './in-memory.js';
export { type Kernels, kernelsInUse, useKernels } from './kernels.js';
export { fromBlockedScales, fromGgmlMxfp4, toBlockedScales, toGgmlMxfp4 } from './layouts.js';
export { type QuantizeOptions, type Rounding, roundings, type ScaleMode, scaleModes } from './options.js';
export { pack, packedLength, unpack } from './pack.js';
export type { RandomKey } from './philox.js';
export { type QuantizationError, quantizationError } from './quantization-error.js';
export { quantize } from './quantize.js';
export type { MxTensor, MxTensorInput } from './tensor.js';
export { validateBlockFormat, validateElementFormat } from './validate-format.js';
export { bytesOfHex } from './wasm/bytes-of-hex.js';
