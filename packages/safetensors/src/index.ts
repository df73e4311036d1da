export {
  bitsPerElement,
  byteLengthOf,
  isSafetensorsDtype,
  type SafetensorsDtype,
  safetensorsDtypes,
} from './dtypes.js';
export {
  isSafetensorsError,
  SafetensorsError,
  type SafetensorsErrorCode,
  type SafetensorsErrorDetails,
} from './errors.js';
export type { SafetensorsMetadata, TensorEntry } from './header.js';
export { parseSafetensors, type Safetensors, type SafetensorsTensor } from './parse.js';
export { type SafetensorsInput, serializeSafetensors } from './serialize.js';
export {
  type SafetensorsArray,
  tensorFrom,
  toFloat32Array,
  toFloat64Array,
  toInt32Array,
  toTypedArray,
} from './typed-arrays.js';
