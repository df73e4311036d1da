import type { Extent } from '../options.js';
import { capacity } from './instance.js';

/**
 * Part of a tensor that goes through the kernels at once: `repeat` times `rows` rows of `width` values, `stride` apart.
 */
export interface Piece {
  /** The first element. */
  readonly start: number;
  readonly rows: number;
  readonly width: number;
  /** From one row to the next; more than `width` where only some columns are taken. */
  readonly stride: number;
  readonly repeat: number;
  /** The first block and how many there are in all. */
  readonly block: number;
  readonly blocks: number;
}

/** Values that go at once where there is a choice: what they are copied to and from stays in the nearest caches. */
const tile = 8192;

export interface Division {
  /** Whether blocks run down columns, rather than along rows. */
  readonly columns: boolean;
  readonly pieces: Iterable<Piece>;
  /** Every piece is consecutive memory, and begins at a multiple of 8 elements: so its packed codes are whole bytes. */
  readonly aligned: boolean;
}

/** How to cut a tensor into pieces for the kernels; `undefined` where a single block is too large for them. */
export function divide(extent: Extent, blockSize: number, blocks: number): Division | undefined {
  return extent.inner === 1 ? divideRows(extent, blockSize, blocks) : divideColumns(extent, blockSize, blocks);
}

function divideRows({ outer, length }: Extent, blockSize: number, blocks: number): Division | undefined {
  if (length <= tile) {
    // Whole rows: as many as fit, in a number that makes a multiple of 8 elements.
    const unit = 8 / commonFactor(8, length);
    const rows = Math.max(Math.floor(tile / Math.max(length, 1) / unit) * unit, unit);
    return { columns: false, aligned: true, pieces: wholeRows(outer, length, blocks, rows) };
  }
  const unit = blockSize * (8 / commonFactor(8, blockSize));
  const width = Math.max(Math.floor(tile / unit) * unit, unit);
  if (width > capacity) return undefined;
  const aligned = length % 8 === 0 || outer === 1;
  return { columns: false, aligned, pieces: partsOfRows(outer, length, blocks, width, blockSize) };
}

function* wholeRows(outer: number, length: number, blocks: number, rows: number): Iterable<Piece> {
  for (let row = 0; row < outer; row += rows) {
    const count = Math.min(rows, outer - row);
    yield {
      start: row * length,
      rows: count,
      width: length,
      stride: length,
      repeat: 1,
      block: row * blocks,
      blocks: count * blocks,
    };
  }
}

function* partsOfRows(
  outer: number,
  length: number,
  blocks: number,
  width: number,
  blockSize: number,
): Iterable<Piece> {
  for (let row = 0; row < outer; row++) {
    for (let first = 0; first < length; first += width) {
      const count = Math.min(width, length - first);
      yield {
        start: row * length + first,
        rows: 1,
        width: count,
        stride: count,
        repeat: 1,
        block: row * blocks + first / blockSize,
        blocks: Math.ceil(count / blockSize),
      };
    }
  }
}

function divideColumns(extent: Extent, blockSize: number, blocks: number): Division | undefined {
  const { outer, length, inner } = extent;
  const rows = Math.min(blockSize, length);
  if (rows * 4 > capacity) return undefined;
  const whole = rows * inner <= capacity;
  const aligned = whole && (blocks <= 1 || (blockSize * inner) % 8 === 0) && (outer <= 1 || (length * inner) % 8 === 0);
  return { columns: true, aligned, pieces: columnPieces(extent, blockSize, blocks) };
}

function* columnPieces({ outer, length, inner }: Extent, blockSize: number, blocks: number): Iterable<Piece> {
  for (let slab = 0; slab < outer; slab++) {
    for (let index = 0; index < blocks; ) {
      const first = index * blockSize;
      const rows = Math.min(blockSize, length - first);
      const start = (slab * length + first) * inner;
      const block = (slab * blocks + index) * inner;
      if (rows * inner > capacity) {
        const width = Math.floor(capacity / rows / 4) * 4;
        for (let column = 0; column < inner; column += width) {
          const count = Math.min(width, inner - column);
          yield {
            start: start + column,
            rows,
            width: count,
            stride: inner,
            repeat: 1,
            block: block + column,
            blocks: count,
          };
        }
        index++;
        continue;
      }
      const full = Math.floor((length - first) / blockSize);
      const repeat = Math.max(Math.min(full, Math.floor(tile / (rows * inner))), 1);
      yield { start, rows, width: inner, stride: inner, repeat, block, blocks: repeat * inner };
      index += repeat;
    }
  }
}

function commonFactor(a: number, b: number): number {
  return b === 0 ? a : commonFactor(b, a % b);
}
