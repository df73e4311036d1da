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
  /** Empty where the file has none. It has no prototype, so that no name finds anything but what the file says. */
  readonly metadata: SafetensorsMetadata;
  /** In the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/**
 * Parses a whole safetensors file. Each tensor's `data` is a view of `file`, which nothing is copied from.
 *
 * Strict: the header is at most 100 MB, begins with `{` and names nothing twice; the tensors fill the data without
 * overlap, hole or rest, and each is as long as its dtype and shape say. Values are not looked at: NaN and infinities
 * may be among them.
 *
 * @throws SafetensorsError and nothing else, whatever the bytes.
 */
export function parseSafetensors(file: Uint8Array): Safetensors {
  if (arrayKind(file) !== 'Uint8Array') {
    throw new SafetensorsError('INVALID_ARGUMENT', `parseSafetensors was given ${show(file)}.`, {
      subject: 'bytes',
      value: file,
      remedy: 'Give the whole file as a Uint8Array.',
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
