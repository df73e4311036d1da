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
export {
  type BlobLike,
  openSafetensors,
  openSafetensorsBlob,
  type SafetensorsFile,
  type SafetensorsSource,
} from './open.js';
export { parseSafetensors, type Safetensors, type SafetensorsTensor } from './parse.js';
export {
  type Layout as SafetensorsParts,
  layOut as safetensorsParts,
  type SafetensorsDescription,
  type SafetensorsInput,
  serializeSafetensors,
} from './serialize.js';
export { openShards, parseShardIndex, type ShardEntry, type ShardedSafetensors, type ShardIndex } from './shards.js';
export {
  type SafetensorsArray,
  tensorFrom,
  toFloat32Array,
  toFloat64Array,
  toInt32Array,
  toTypedArray,
} from './typed-arrays.js';
