import type { BlockFormat } from './formats.js';
import type { FloatTensor, NamedTensors } from './tensor.js';

/**
 * # Rows of codes
 *
 * Keys and values of earlier positions are kept as codes of a block format. Each row is rounded by itself, to nearest,
 * in blocks along the row, so that the rows of a further position are encoded once and appended. Attention reads the
 * codes: a backend with kernels never decodes all rows at once.
 *
 * Each tensor of `CodedRows` has the leading axes of the rows, then one of its own. Rows are therefore concatenated and
 * sliced along any axis but the last by doing so with each of their tensors.
 */
export interface CodedRows {
  readonly format: BlockFormat;
  /** Shape of the rows that are encoded: [..., width]. */
  readonly shape: readonly number[];
  /** In the backend's own layout, all of the same names; none if there are no values. */
  readonly tensors: NamedTensors;
}

/**
 * Kernels of coded rows. A backend has all of them or none; where they are absent, core composes them from primitives.
 */
export interface CodedRowKernels {
  /** Rows [..., width] as codes of the values of `fakeQuantize` along the last axis, rounded to nearest. */
  encodeRows(x: FloatTensor, format: BlockFormat): NamedTensors;
  /** The values of codes: those of `fakeQuantize`, but +0 for −0. A block of NaN or an infinity is all NaN. */
  decodeRows(rows: CodedRows): FloatTensor;
  /**
   * query [batch, heads, queries, width]; rows [batch, 2 · heads, keys, width], the keys of all heads, then their
   * values → [batch, heads, queries, width]: `attention` without a mask of the values that the codes stand for, with
   * its bound.
   */
  codedAttention(query: FloatTensor, rows: CodedRows, scale: number): FloatTensor;
}

/** Whether rows can be encoded in a format: scales that are powers of two, and elements of 4 to 8 bits. */
export function canCodeRows({ scale, element: { kind, bits, mantissaBits } }: BlockFormat): boolean {
  return scale === 'e8m0' && bits >= 4 && bits <= 8 && (kind === 'int' || mantissaBits > 0);
}

/** Blocks of a row; one block that is alone is as short as the row. */
export function rowBlocks(
  width: number,
  { blockSize }: BlockFormat,
): { readonly blocks: number; readonly size: number } {
  const size = Math.min(blockSize, width);
  return { size, blocks: Math.ceil(width / size) };
}
