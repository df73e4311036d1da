import { LmdError } from '@lmd/core';

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

/**
 * Reads an IDX file, the format of MNIST: bytes 0, 0, type, number of axes; each extent as a big-endian u32; then the values
 * (Y. LeCun, "The MNIST database", file formats). Strict: the length must be exactly what the header says.
 *
 * @param file for the error message.
 * @throws LmdError `DATA_CORRUPT` naming the file, what is wrong, and the remedy.
 */
export function parseIdx(bytes: Uint8Array, file = 'the IDX data'): IdxArray {
  const { view, shape, type, header, expected } = parseHeader(bytes, file);
  if (bytes.length !== expected) {
    refuse(
      file,
      `shape [${shape.join(', ')}] takes ${expected} bytes, and it has ${bytes.length}, ` +
        `${bytes.length < expected ? 'so it is cut short' : 'so something follows its end'}`,
      bytes.length,
    );
  }
  return { shape, data: type.read(view, header, (expected - header) / type.bytes) };
}

/** How long a file is that begins so, by its header: the longest has 1,024 bytes. Throws as `parseIdx` does. */
export function idxLength(start: Uint8Array, file: string): number {
  return parseHeader(start, file).expected;
}

function parseHeader(bytes: Uint8Array, file: string) {
  if (bytes.length < 4) refuse(file, `it has ${bytes.length} bytes, and the magic number alone takes 4`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const type = types.get((magic >>> 8) & 0xff);
  const axes = magic & 0xff;
  if (magic >>> 16 !== 0 || type === undefined || axes === 0) {
    return refuse(file, `its magic number is 0x${magic.toString(16).padStart(8, '0')}`, magic);
  }
  const header = 4 + 4 * axes;
  if (bytes.length < header) refuse(file, `it ends within its header of ${header} bytes`, bytes.length);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, extent) => product * extent, 1);
  return { view, shape, type, header, expected: header + count * type.bytes };
}

function refuse(file: string, problem: string, value: unknown): never {
  throw new LmdError('DATA_CORRUPT', `${file} is not a whole IDX file: ${problem}.`, {
    subject: file,
    value,
    remedy: 'Download or copy it again; a file that ends in .gz must be decompressed first or keep that extension.',
  });
}
