import type { BlockFormat, ElementFormat } from './formats.js';
import type { FloatTensor, IntegerTensor, NamedTensors } from './tensor.js';

/**
 * # Products with packed weights
 *
 * A matrix of weights is kept as codes of a block format: 4.25, 6.25 or 8.25 bits a value. A product decodes it as it
 * reads it, so that generating a token, which reads each weight once, reads a fraction of the bytes. Activations stay
 * f32.
 *
 * A matrix has `rows` of `terms`: the terms are those that a product contracts, and its blocks run along them. For x
 * [m, terms],
 *
 *     y[i, j] = Σ_t x[i, t]·w[j, t],   w[j, t] = element·scale, the value of its code
 *
 * with sums in f32, in any order, where the products of x with an element, a scale with their sums, or a scale with its
 * element first: the bound is that of `matmul` for the decoded weights. A block of NaN (scale byte 0xFF; 0x7F in
 * `e4m3`) makes its row's products NaN.
 */

/** Codes as `quantize` of `@lmd/mx-formats` packs them, and as a file of packed weights holds them. */
export interface PackedCodes {
  readonly format: BlockFormat;
  /** Two axes. */
  readonly shape: readonly number[];
  /** The axis along which blocks run, 0 or 1: the one that the product contracts. */
  readonly axis: number;
  /** Row-major in `shape`: a dense little-endian stream of codes. */
  readonly codes: Uint8Array;
  /** One a block, row-major in the shape with ⌈length / block size⌉ in place of the axis' length. */
  readonly scales: Uint8Array;
  /** The scale of the whole matrix in formats with `e4m3` scales. Default 1. */
  readonly tensorScale?: number;
}

/** A matrix that a backend holds packed. Free it with `dispose(matrix.tensors)`. */
export interface PackedMatrix {
  readonly format: BlockFormat;
  readonly shape: readonly number[];
  readonly axis: number;
  /** In the backend's own layout. */
  readonly tensors: NamedTensors;
}

/** Packed matrices by the names of the weights that they stand for. */
export type PackedMatrices = { readonly [name: string]: PackedMatrix };

/**
 * Kernels of packed weights. A backend has all of them or none; where they are absent, core keeps the decoded values in
 * f32, which gives the same products and saves no memory.
 */
export interface PackedMatrixKernels {
  /** Takes the codes into the backend's memory. They are checked already. */
  packMatrix(source: PackedCodes): NamedTensors;
  /** x [m, terms] → [m, rows]. */
  packedMatmul(x: FloatTensor, matrix: PackedMatrix): FloatTensor;
  /** Rows of the matrix as values: `indices` i32 → [...indices.shape, terms]. An index out of range gives NaN. */
  packedRows(matrix: PackedMatrix, indices: IntegerTensor): FloatTensor;
  /** All values: [rows, terms]. */
  decodeMatrix(matrix: PackedMatrix): FloatTensor;
}

/** A packed matrix seen from its product. */
export function matrixExtent({ shape, axis }: Pick<PackedMatrix, 'shape' | 'axis'>): {
  readonly rows: number;
  readonly terms: number;
} {
  return { rows: shape[1 - axis]!, terms: shape[axis]! };
}

/**
 * Whether weights of this format can be packed: codes of 4 bits, floats of 6 or 8 with a mantissa of 2 or 3, or
 * integers of 8; a block size of 16 times a power of two; and scales of kind `e8m0` or `e4m3`. So are all OCP MX
 * formats and NVFP4.
 */
export function canPackMatrix({ element, blockSize, scale }: BlockFormat): boolean {
  const { kind, bits, mantissaBits } = element;
  const isWide = bits === 8 || (bits === 6 && kind === 'float');
  const fits = bits === 4 || (isWide && (kind === 'int' || mantissaBits === 2 || mantissaBits === 3));
  const blocks = blockSize / 16;
  return fits && (scale === 'e8m0' || scale === 'e4m3') && blocks >= 1 && Number.isInteger(Math.log2(blocks));
}

/** The value of a code of an element format, scales left out; NaN and infinities where it has them. */
export function elementValue(element: ElementFormat, code: number): number {
  const { kind, bits, mantissaBits, bias, emin, hasInfinity, hasNaN, largest } = element;
  const sign = code >>> (bits - 1);
  if (kind === 'int') return (sign === 1 ? code - 2 ** bits : code) * 2 ** -mantissaBits;
  const mantissa = code & (2 ** mantissaBits - 1);
  const exponent = (code & (2 ** (bits - 1) - 1)) >>> mantissaBits;
  const magnitude =
    exponent === 0
      ? mantissa * 2 ** (emin - mantissaBits)
      : (1 + mantissa * 2 ** -mantissaBits) * 2 ** (exponent - bias);
  const signed = sign === 1 ? -magnitude : magnitude;
  if (magnitude <= largest) return signed;
  if (hasInfinity && mantissa === 0) return signed * Infinity;
  return hasNaN || hasInfinity ? Number.NaN : signed;
}

/** The value of each of the 256 bytes of a scale. */
export function scaleValues(scale: string, tensorScale = 1): Float32Array {
  if (scale === 'e8m0') {
    return Float32Array.from({ length: 256 }, (_, byte) => (byte === 255 ? Number.NaN : 2 ** (byte - 127)));
  }
  const e4m3 = {
    kind: 'float',
    bits: 8,
    mantissaBits: 3,
    bias: 7,
    emin: -6,
    hasInfinity: false,
    hasNaN: true,
  } as const;
  const element: ElementFormat = { ...e4m3, name: 'e4m3', exponentBits: 4, emax: 8, largest: 448 };
  return Float32Array.from({ length: 256 }, (_, byte) => elementValue(element, byte) * tensorScale);
}

/**
 * The codes of the rows `from` to `to` of the product's operand, one a byte, row after row of `stride` bytes in `out`:
 * whichever way the matrix is stored.
 */
export function rowCodes(
  { format, shape, axis, codes }: PackedCodes,
  [from, to]: readonly [number, number],
  out: Uint8Array,
  stride: number,
): void {
  const { bits } = format.element;
  const { terms } = matrixExtent({ shape, axis });
  const columns = shape[1]!;
  const mask = 2 ** bits - 1;
  const codeAt =
    bits === 8
      ? (index: number) => codes[index]!
      : bits === 4
        ? (index: number) => (codes[index >>> 1]! >>> ((index & 1) << 2)) & mask
        : (index: number) => {
            const bit = index * bits;
            const at = Math.floor(bit / 8);
            return ((codes[at]! | ((codes[at + 1] ?? 0) << 8)) >>> (bit % 8)) & mask;
          };
  if (axis === 1) {
    for (let row = from; row < to; row++) {
      const [source, target] = [row * columns, (row - from) * stride];
      for (let term = 0; term < terms; term++) out[target + term] = codeAt(source + term);
    }
    return;
  }
  for (let term = 0; term < terms; term++) {
    const source = term * columns;
    for (let row = from; row < to; row++) out[(row - from) * stride + term] = codeAt(source + row);
  }
}

/** The scale bytes of row `row` of the product's operand, in `out` from `at` on. */
export function rowScales(
  { format, shape, axis, scales }: PackedCodes,
  row: number,
  out: Uint8Array,
  at: number,
): void {
  const { rows, terms } = matrixExtent({ shape, axis });
  const blocks = Math.ceil(terms / format.blockSize);
  const [start, step] = axis === 1 ? [row * blocks, 1] : [row, rows];
  for (let block = 0; block < blocks; block++) out[at + block] = scales[start + block * step]!;
}
