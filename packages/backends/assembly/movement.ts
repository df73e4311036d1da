// Moving 32-bit values: slicing, padding, joining, exchanging axes. Strides are elements.

import { storeFirst, turnBlock } from './arithmetic';

/** Rows of `length` values, contiguous on both sides, over up to three outer axes of extents e, source strides s, target strides t. */
export function copyRows(
  source: usize,
  target: usize,
  length: i32,
  e0: i32,
  e1: i32,
  e2: i32,
  s0: i32,
  s1: i32,
  s2: i32,
  t0: i32,
  t1: i32,
  t2: i32,
): void {
  const bulk = <usize>(length & ~3) << 2;
  const rest = length & 3;
  for (let i = 0; i < e0; i++) {
    for (let j = 0; j < e1; j++) {
      let from = source + (<usize>(i * s0 + j * s1) << 2);
      let to = target + (<usize>(i * t0 + j * t1) << 2);
      for (let k = 0; k < e2; k++) {
        for (let at: usize = 0; at < bulk; at += 16) v128.store(to + at, v128.load(from + at));
        if (rest > 0) storeFirst(to + bulk, v128.load(from + bulk), rest);
        from += <usize>s2 << 2;
        to += <usize>t2 << 2;
      }
    }
  }
}

/** Values of a square of this side are turned together: its lines on both sides stay in the first-level cache. */
const SQUARE: i32 = 32;

/**
 * Turns matrices round: `rows` × `columns` with contiguous columns and rows `sourceStride` apart, to contiguous rows with columns
 * `targetStride` apart, over up to two outer axes.
 */
export function turnMatrices(
  source: usize,
  target: usize,
  rows: i32,
  columns: i32,
  sourceStride: i32,
  targetStride: i32,
  e0: i32,
  e1: i32,
  s0: i32,
  s1: i32,
  t0: i32,
  t1: i32,
): void {
  for (let i = 0; i < e0; i++) {
    for (let j = 0; j < e1; j++) {
      const from = source + (<usize>(i * s0 + j * s1) << 2);
      const to = target + (<usize>(i * t0 + j * t1) << 2);
      turnMatrix(from, to, rows, columns, <usize>sourceStride << 2, <usize>targetStride << 2);
    }
  }
}

function turnMatrix(source: usize, target: usize, rows: i32, columns: i32, sourceBytes: usize, targetBytes: usize): void {
  for (let top = 0; top < rows; top += SQUARE) {
    const bottom = min(rows, top + SQUARE);
    for (let left = 0; left < columns; left += SQUARE) {
      const right = min(columns, left + SQUARE);
      let row = top;
      for (; row + 4 <= bottom; row += 4) {
        const from = source + <usize>row * sourceBytes;
        const to = target + (<usize>row << 2);
        let column = left;
        for (; column + 4 <= right; column += 4) {
          turnBlock(from + (<usize>column << 2), sourceBytes, to + <usize>column * targetBytes, targetBytes);
        }
        for (; column < right; column++) turnLine(from, to, column, 4, sourceBytes, targetBytes);
      }
      if (row < bottom) {
        const from = source + <usize>row * sourceBytes;
        const to = target + (<usize>row << 2);
        for (let column = left; column < right; column++) {
          turnLine(from, to, column, bottom - row, sourceBytes, targetBytes);
        }
      }
    }
  }
}

/** A few rows of one column. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function turnLine(from: usize, to: usize, column: i32, rows: i32, sourceBytes: usize, targetBytes: usize): void {
  const start = from + (<usize>column << 2);
  const end = to + <usize>column * targetBytes;
  for (let l = 0; l < rows; l++) store<u32>(end + (<usize>l << 2), load<u32>(start + <usize>l * sourceBytes));
}
