export * from './blockFormats.js';
export * from './elementFormats.js';
export { MxFormatError, type MxFormatErrorCode, type MxFormatErrorDetails } from './errors.js';
export { fakeQuantize } from './fakeQuantize.js';
export { roundToBfloat16, roundToFloat16 } from './halfPrecision.js';
export { type QuantizeOptions, type Rounding, roundings, type ScaleMode, scaleModes } from './options.js';
export type { RandomKey } from './philox.js';
