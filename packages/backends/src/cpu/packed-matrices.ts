import {
  type ElementFormat,
  elementValue,
  type FloatTensor,
  matrixExtent,
  type PackedMatrix,
  type PackedMatrixKernels,
  type Primitives,
  rowCodes,
  rowScales,
  scaleValues,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import type { MemoryHost } from './memory-host.js';
import type { KernelArguments } from './wasm/kernels.js';
import {
  chunkBytes4,
  chunkBytes6,
  chunkBytes8,
  chunkCodes,
  PackedKind,
  tableCodes,
  tableScales,
  tableWords,
} from './wasm/numbers.js';

type Kind = keyof typeof PackedKind;

const chunkBytes = (kind: Kind): number =>
  kind === 'nibbles' ? chunkBytes4 : kind.startsWith('float6') ? chunkBytes6 : chunkBytes8;
/** Nanoseconds a value. */
const productCost = 0.25;
const decodeCost = 0.5;
/** Up to so many rows of x, a product decodes the weights for each; beyond, once, into f32. */
const mostRows = 4;
/** Rows that are arranged at a time, so that what that takes is small beside the matrix. */
const rowsTogether = 256;

/** Tensors of words. */
interface CpuMatrix {
  /** [rows, words of a row]. */
  readonly codes: Tensor;
  /** Bytes, [rows, blocks of a row], those of the padding included. */
  readonly scales: Tensor;
  /** The values of scales and of codes that the kernels look up. */
  readonly tables: Tensor;
}

const partsIn = ({ tensors }: PackedMatrix) => tensors as unknown as CpuMatrix;

/** Products with packed weights, by kernels that read their codes. */
export function cpuPackedMatrices(host: MemoryHost, matmul: Primitives['matmul']): PackedMatrixKernels {
  const { run, address, make, store } = host;

  function decodedRows(matrix: PackedMatrix, shape: readonly number[], indices?: Tensor): FloatTensor {
    const { rows, terms } = matrixExtent(matrix);
    return make(shape, 'f32', (out) => {
      const at = indices === undefined ? 0 : address(indices);
      const split = { total: sizeOf(shape) / terms, cost: 10 + decodeCost * terms };
      run('decodePackedRows', split, { ...argumentsOf(matrix), indices: at, out: address(out), rows, terms });
    });
  }

  /** Kernel arguments that describe a matrix. */
  function argumentsOf(matrix: PackedMatrix): Omit<KernelArguments['packedRowProducts'], 'x' | 'out' | 'm' | 'n'> {
    const { codes, scales, tables } = partsIn(matrix);
    return {
      kind: PackedKind[kindOf(matrix.format.element)],
      codes: address(codes),
      scales: address(scales),
      tables: address(tables),
      shift: shiftOf(matrix),
      chunks: Math.ceil(matrixExtent(matrix).terms / chunkCodes),
    };
  }

  return {
    packMatrix(source) {
      const { rows, terms } = matrixExtent(source);
      const { format, tensorScale } = source;
      const kind = kindOf(format.element);
      const chunks = Math.ceil(terms / chunkCodes);
      const rowBytes = chunks * chunkBytes(kind);
      const blocks = Math.ceil((chunks * chunkCodes) / format.blockSize);
      const parts: CpuMatrix = {
        codes: host.allocate([rows, rowBytes / 4], 'i32'),
        scales: host.allocate([Math.ceil((rows * blocks) / 4)], 'i32'),
        tables: host.allocate([tableWords], 'i32'),
      };
      host.integers(parts.tables).set(tablesOf(format.element, scaleValues(format.scale, tensorScale)));
      const bytesOf = (x: Tensor) => {
        const { buffer, byteOffset, byteLength } = host.integers(x);
        return new Uint8Array(buffer, byteOffset, byteLength);
      };
      const scales = bytesOf(parts.scales);
      scales.fill(0);
      for (let row = 0; row < rows; row++) rowScales(source, row, scales, row * blocks);
      const codes = bytesOf(parts.codes);
      const unpacked = new Uint8Array(rowsTogether * chunks * chunkCodes);
      for (let from = 0; from < rows; from += rowsTogether) {
        const to = Math.min(rows, from + rowsTogether);
        rowCodes(source, [from, to], unpacked, chunks * chunkCodes);
        arrange(kind, unpacked, (to - from) * chunks, codes.subarray(from * rowBytes));
      }
      return { ...parts };
    },

    packedMatmul(x, matrix) {
      const { rows, terms } = matrixExtent(matrix);
      const [m] = x.shape as [number, number];
      if (m > mostRows) {
        const weights = decodedRows(matrix, [1, rows, terms]);
        const lines = store.share(x, [1, m, terms]);
        const product = matmul(lines, weights, false, true);
        const result = store.share(product, [m, rows]);
        for (const made of [weights, lines, product]) store.free(made);
        return result;
      }
      const padded = paddedRows(x, Math.ceil(terms / chunkCodes) * chunkCodes);
      const out = make([m, rows], 'f32', (out) => {
        const split = { total: rows, cost: productCost * m * terms };
        run('packedRowProducts', split, { ...argumentsOf(matrix), x: address(padded), out: address(out), m, n: rows });
      });
      if (padded !== x) store.free(padded);
      return out;
    },

    packedRows: (matrix, indices) => decodedRows(matrix, [...indices.shape, matrixExtent(matrix).terms], indices),

    decodeMatrix(matrix) {
      const { rows, terms } = matrixExtent(matrix);
      return decodedRows(matrix, [rows, terms]);
    },
  };

  /** x [m, terms] with zeros up to `width`. */
  function paddedRows(x: Tensor, width: number): Tensor {
    const [m, terms] = x.shape as [number, number];
    if (terms === width) return x;
    return make([m, width], 'f32', (out) => {
      const [to, from] = [host.floats(out), host.floats(x)];
      to.fill(0);
      for (let row = 0; row < m; row++) to.set(from.subarray(row * terms, (row + 1) * terms), row * width);
    });
  }
}

function kindOf({ bits, kind, mantissaBits }: ElementFormat): Kind {
  if (bits === 4) return 'nibbles';
  if (kind === 'int') return 'integer8';
  return `float${bits as 6 | 8}m${mantissaBits as 2 | 3}`;
}

const shiftOf = ({ format }: PackedMatrix): number => Math.log2(format.blockSize / 16);

/**
 * The words in which kernels look up values: of scales, f32; then bfloat16 numbers by code, low bytes and high, and one
 * to add.
 */
function tablesOf(element: ElementFormat, scales: Float32Array): Int32Array {
  const words = new Int32Array(tableWords);
  const bytes = new Uint8Array(words.buffer, 4 * tableScales);
  const isInteger = kindOf(element) === 'integer8';
  // The kernel's integers have no unit yet.
  const unit = isInteger ? 2 ** -element.mantissaBits : 1;
  new Float32Array(words.buffer).set(scales.map((scale) => scale * unit));
  if (isInteger) return words;
  const offset = element.bits === 4 ? 0 : (127 - element.bias) << 7;
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(2 * tableCodes, offset, true);
  for (let code = 0; code < tableCodes; code++) {
    const value = bfloat16Of(elementValue(element, code));
    // Where there are more codes than entries, an entry is what to add to the exponent and mantissa moved into their
    // places.
    const entry = element.bits === 4 ? value : value - ((code << (7 - element.mantissaBits)) + offset);
    bytes[code] = entry;
    bytes[tableCodes + code] = entry >> 8;
  }
  return words;
}

/** The upper half of a float's bits. */
function bfloat16Of(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;
}

/** Where the top bits of a code of 6 bits go, by group: the bit of its fifth, and of its sign. */
const topBits = [
  [4, 7],
  [3, 6],
  [2, 5],
  [0, 1],
] as const;

/** Packs chunks of codes, one a byte, as the kernels read them. */
function arrange(kind: Kind, codes: Uint8Array, chunks: number, out: Uint8Array): void {
  const size = chunkBytes(kind);
  out.fill(0, 0, chunks * size);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const [from, to] = [chunk * chunkCodes, chunk * size];
    for (let i = 0; i < chunkCodes; i++) {
      const code = codes[from + i]!;
      const group = i >> 4;
      if (kind === 'integer8') {
        out[to + 16 * group + ((i & 3) << 2) + ((i >> 2) & 3)] = code;
        continue;
      }
      // Code 8h + 4p + l of a group is byte 8h + 2l + p.
      const place = (i & 8) + ((i & 3) << 1) + ((i >> 2) & 1);
      if (size === chunkBytes8) {
        out[to + 16 * group + place] = code;
        continue;
      }
      out[to + 16 * (group >> 1) + place]! |= (code & 15) << (4 * (group & 1));
      if (size === chunkBytes6) {
        const [fifth, sign] = topBits[group]!;
        out[to + chunkBytes4 + place]! |= (((code >> 4) & 1) << fifth) | ((code >> 5) << sign);
      }
    }
  }
}
