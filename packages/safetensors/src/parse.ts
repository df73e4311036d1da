import { arrayKind, ownBytes } from './array-kind.js';
import type { SafetensorsDtype } from './dtypes.js';
import { SafetensorsError, show } from './errors.js';
import { lengthBytes, parseHeader, parseHeaderLength, type SafetensorsMetadata } from './header.js';

/** One tensor: little-endian, row-major bytes. Elements of 4 and 6 bits are packed. */
export interface SafetensorsTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export interface Safetensors {
  /** Empty if the file has none. It has no prototype, so that lookups find only names of the file. */
  readonly metadata: SafetensorsMetadata;
  /** In the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/**
 * Parses a whole safetensors file. The `data` of each tensor is a view of `file`, without a copy.
 *
 * Strict: the header must have at most 100 MB, begin with `{` and have unique names; the tensors must fill the data
 * without overlap, gap or trailing bytes, and each must have the length of its dtype and shape. Values are not checked
 * and may include NaN and infinities.
 *
 * @throws SafetensorsError, and no other error for any input.
 */
export function parseSafetensors(file: Uint8Array): Safetensors {
  if (arrayKind(file) !== 'Uint8Array') {
    throw new SafetensorsError('INVALID_ARGUMENT', `parseSafetensors was given ${show(file)}.`, {
      subject: 'bytes',
      value: file,
      remedy: 'Pass the whole file as a Uint8Array.',
    });
  }
  const bytes = ownBytes(file);
  const headerLength = parseHeaderLength(bytes, bytes.length);
  const dataStart = lengthBytes + headerLength;
  const { metadata, entries } = parseHeader(bytes.subarray(lengthBytes, dataStart), bytes.length - dataStart);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, { dtype, shape, begin, end }] of entries) {
    tensors.set(name, { dtype, shape, data: bytes.subarray(dataStart + begin, dataStart + end) });
  }
  return { metadata, tensors };
}
