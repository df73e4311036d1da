import { checkByteArray } from './arrays.js';
import { mxfp4_e2m1 } from './block-formats.js';
import { describeShape, describeValue, MxFormatError } from './errors.js';
import { extentOf } from './options.js';
import { pack, unpack } from './pack.js';
import { checkTensor, type MxTensor, type MxTensorInput } from './tensor.js';

/** Elements and bytes of a block in ggml's MXFP4. */
const ggmlElements = 32;
const ggmlBytes = 17;

/**
 * ggml's MXFP4 (`block_mxfp4`): a block of 32 values is 17 bytes, its E8M0 scale and then 16 bytes of which byte j
 * holds element j in the low nibble and element j + 16 in the high one. Blocks follow each other row by row. The values
 * are those of OCP MXFP4.
 *
 * @param tensor `mxfp4_e2m1` in blocks of 32 along its last axis, whose length is a multiple of 32
 * @throws MxFormatError `UNSUPPORTED` for any other tensor
 */
export function toGgmlMxfp4(tensor: MxTensorInput): Uint8Array {
  const { length, inner, count, format, blockSize } = checkTensor(tensor);
  if (format.element.name !== 'e2m1' || format.scale !== 'e8m0' || blockSize !== ggmlElements) {
    throw notGgml('format', `${format.name} in blocks of ${blockSize}`, 'Quantize to mxfp4_e2m1 in blocks of 32.');
  }
  if (inner !== 1 || length % ggmlElements !== 0) {
    throw notGgml(
      'shape',
      `${describeShape(tensor.shape)} along axis ${tensor.axis}`,
      'Use the last axis, of a multiple of 32.',
    );
  }
  const codes = unpack(tensor.codes, 4, count);
  const out = new Uint8Array((count / ggmlElements) * ggmlBytes);
  for (let block = 0; block < tensor.scales.length; block++) {
    const from = block * ggmlElements;
    const to = block * ggmlBytes;
    out[to] = tensor.scales[block]!;
    for (let j = 0; j < 16; j++) out[to + 1 + j] = codes[from + j]! | (codes[from + j + 16]! << 4);
  }
  return out;
}

/**
 * The tensor in ggml's MXFP4 blocks: the inverse of `toGgmlMxfp4`.
 *
 * @param shape row-major; the last size is a multiple of 32
 * @throws MxFormatError `SHAPE_MISMATCH` if the number of bytes does not match the shape
 */
export function fromGgmlMxfp4(bytes: Uint8Array, shape: readonly number[]): MxTensor {
  checkByteArray('bytes', bytes);
  const isScalar = Array.isArray(shape) && shape.length === 0;
  const { outer, length, inner } = extentOf(isScalar ? [1] : shape, -1);
  if (isScalar || shape.at(-1)! % ggmlElements !== 0) {
    throw notGgml('shape', describeShape(shape), 'The last size must be a multiple of 32.');
  }
  const count = outer * length * inner;
  const blocks = count / ggmlElements;
  if (bytes.length !== blocks * ggmlBytes) {
    throw new MxFormatError(
      'SHAPE_MISMATCH',
      `There are ${bytes.length} bytes for the shape ${describeShape(shape)}.`,
      {
        subject: 'bytes',
        value: bytes.length,
        remedy: `Use ${blocks * ggmlBytes} bytes, 17 for every 32 values.`,
      },
    );
  }
  const scales = new Uint8Array(blocks);
  const codes = new Uint8Array(count);
  for (let block = 0; block < blocks; block++) {
    const from = block * ggmlBytes;
    const to = block * ggmlElements;
    scales[block] = bytes[from]!;
    for (let j = 0; j < 16; j++) {
      const byte = bytes[from + 1 + j]!;
      codes[to + j] = byte & 15;
      codes[to + j + 16] = byte >>> 4;
    }
  }
  return {
    format: mxfp4_e2m1,
    shape: [...shape],
    axis: shape.length - 1,
    blockSize: ggmlElements,
    scales,
    codes: pack(codes, 4),
    tensorScale: 1,
  };
}

function notGgml(subject: string, value: string, remedy: string): MxFormatError {
  return new MxFormatError('UNSUPPORTED', `ggml’s MXFP4 does not support ${value}.`, { subject, value, remedy });
}

/** Rows and columns of a tile of scales in NVIDIA's blocked layout. */
const tileRows = 128;
const tileColumns = 4;

/**
 * Row-major scales, as OCP tensors have them, in the blocked layout that NVIDIA's tensor cores read (cuBLAS, "1D block
 * scaling factors layout"; `to_blocked` in torchao): tiles of 128 rows by 4 columns, 512 bytes each and row-major among
 * themselves, in which row r and column c lie at (r mod 32)·16 + ⌊r / 32⌋·4 + c. Padding is zero.
 *
 * @param rows rows of the matrix of scales
 * @param columns blocks a row
 */
export function toBlockedScales(scales: Uint8Array, rows: number, columns: number): Uint8Array {
  checkScaleCount(scales, rows, columns, () => rows * columns);
  const out = new Uint8Array(blockedLength(rows, columns));
  forEachScale(rows, columns, (rowMajor, blocked) => {
    out[blocked] = scales[rowMajor]!;
  });
  return out;
}

/** Row-major scales from NVIDIA's blocked layout: the inverse of `toBlockedScales`. */
export function fromBlockedScales(blockedScales: Uint8Array, rows: number, columns: number): Uint8Array {
  checkScaleCount(blockedScales, rows, columns, () => blockedLength(rows, columns));
  const out = new Uint8Array(rows * columns);
  forEachScale(rows, columns, (rowMajor, blocked) => {
    out[rowMajor] = blockedScales[blocked]!;
  });
  return out;
}

function blockedLength(rows: number, columns: number): number {
  return Math.ceil(rows / tileRows) * tileRows * Math.ceil(columns / tileColumns) * tileColumns;
}

function forEachScale(rows: number, columns: number, visit: (rowMajor: number, blocked: number) => void): void {
  if (columns === 0) return;
  const tilesAcross = Math.ceil(columns / tileColumns);
  for (let row = 0; row < rows; row++) {
    const within = row % tileRows;
    const inTile = (within % 32) * 16 + Math.floor(within / 32) * 4;
    const firstTile = Math.floor(row / tileRows) * tilesAcross;
    for (let column = 0; column < columns; column++) {
      const tile = firstTile + Math.floor(column / tileColumns);
      visit(row * columns + column, tile * tileRows * tileColumns + inTile + (column % tileColumns));
    }
  }
}

function checkScaleCount(scales: Uint8Array, rows: number, columns: number, expectedOf: () => number): void {
  checkByteArray('scales', scales);
  const isSize = (size: number) => Number.isSafeInteger(size) && size >= 0;
  for (const [subject, size] of [
    ['rows', rows],
    ['columns', columns],
  ] as const) {
    if (isSize(size)) continue;
    throw new MxFormatError('INVALID_ARGUMENT', `${subject} is ${describeValue(size)}.`, {
      subject,
      value: size,
      remedy: 'Use a whole number of at least 0.',
    });
  }
  const expected = expectedOf();
  if (scales.length === expected) return;
  throw new MxFormatError(
    'SHAPE_MISMATCH',
    `There are ${scales.length} scales for ${rows} rows of ${columns} blocks.`,
    {
      subject: 'scales',
      value: scales.length,
      remedy: `It takes ${expected}.`,
    },
  );
}
