import { isTypedArray, LmdError } from '@lmd/core';
import { argumentError } from '../options.js';

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major, in the machine's byte order. */
  readonly data: IdxData;
}

interface IdxType {
  readonly bytes: number;
  read(view: DataView, offset: number, count: number): IdxData;
}

/** The element types of the format, by the third byte of its magic number. All are big-endian. */
const types: ReadonlyMap<number, IdxType> = new Map<number, IdxType>([
  [0x08, { bytes: 1, read: (v, o, n) => new Uint8Array(v.buffer, v.byteOffset + o, n).slice() }],
  [0x09, { bytes: 1, read: (v, o, n) => new Int8Array(v.buffer, v.byteOffset + o, n).slice() }],
  [0x0b, { bytes: 2, read: (v, o, n) => Int16Array.from({ length: n }, (_, i) => v.getInt16(o + 2 * i)) }],
  [0x0c, { bytes: 4, read: (v, o, n) => Int32Array.from({ length: n }, (_, i) => v.getInt32(o + 4 * i)) }],
  [0x0d, { bytes: 4, read: (v, o, n) => Float32Array.from({ length: n }, (_, i) => v.getFloat32(o + 4 * i)) }],
  [0x0e, { bytes: 8, read: (v, o, n) => Float64Array.from({ length: n }, (_, i) => v.getFloat64(o + 8 * i)) }],
]);

/** The longest header: 255 axes. */
export const idxHeaderLimit = 4 + 4 * 255;

export interface IdxHeader {
  readonly shape: readonly number[];
  /** Bytes of the whole file, header included. */
  readonly length: number;
}

/**
 * Parses an IDX file, the format of MNIST: bytes 0, 0, type, number of axes; each dimension as a big-endian u32; then
 * the values (Y. LeCun, "The MNIST database", file formats). The length must equal that of the header.
 *
 * @param file for the error message.
 * @throws LmdError `INVALID_ARGUMENT` if `bytes` is not a Uint8Array; `DATA_CORRUPT` naming the file, the problem and
 * the remedy.
 */
export function parseIdx(bytes: Uint8Array, file = 'the IDX data'): IdxArray {
  if (!isTypedArray(bytes, 'Uint8Array')) throw argumentError('parseIdx', 'bytes', bytes, 'Use a Uint8Array.');
  const { shape, length, type } = readHeader(bytes, file);
  checkIdxLength({ shape, length }, bytes.length, file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = 4 + 4 * shape.length;
  return { shape, data: type.read(view, header, (length - header) / type.bytes) };
}

/**
 * Parses the header of an IDX file, so that a file of the wrong length is rejected before it is read.
 *
 * @throws LmdError `DATA_CORRUPT`.
 */
export function idxHeader(head: Uint8Array, file: string): IdxHeader {
  const { shape, length } = readHeader(head, file);
  return { shape, length };
}

/** @throws LmdError `DATA_CORRUPT` if the length of the file, `found` bytes, differs from that of the header. */
export function checkIdxLength({ shape, length }: IdxHeader, found: number, file: string): void {
  if (found === length) return;
  throw corrupt(
    file,
    `shape [${shape.join(', ')}] takes ${length} bytes, but the file has ${found}, ` +
      `${found < length ? 'so it is truncated' : 'so there is data after its end'}`,
    found,
  );
}

/** @throws LmdError `DATA_CORRUPT`. */
function readHeader(bytes: Uint8Array, file: string): IdxHeader & { readonly type: IdxType } {
  if (bytes.length < 4) {
    throw corrupt(file, `it has ${bytes.length} bytes, but the magic number takes 4`, bytes.length);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const type = types.get((magic >>> 8) & 0xff);
  const axes = magic & 0xff;
  if (magic >>> 16 !== 0 || type === undefined || axes === 0) {
    throw corrupt(file, `its magic number is 0x${magic.toString(16).padStart(8, '0')}`, magic);
  }
  const header = 4 + 4 * axes;
  if (bytes.length < header) throw corrupt(file, `it ends within its header of ${header} bytes`, bytes.length);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { shape, length: header + shape.reduce((product, extent) => product * extent, type.bytes), type };
}

function corrupt(file: string, problem: string, value: unknown): LmdError {
  return new LmdError('DATA_CORRUPT', `${file} is not a complete IDX file: ${problem}.`, {
    subject: file,
    value,
    remedy: 'Download or copy it again.',
  });
}
