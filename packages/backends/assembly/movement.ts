// Moving 32-bit values: slicing, padding, joining, exchanging axes. Strides are elements.

import { turnedRows } from '../src/cpu/wasm/numbers';
import { storeFirst, turnBlock } from './arithmetic';

/**
 * The rows `from` to `to` of `length` values, contiguous on both sides, or with one source value for each row (step 0),
 * counted over three outer axes of extents e (the first is not needed), with source strides s and target strides t.
 */
export function copyRows(
  from: i32,
  to: i32,
  source: usize,
  target: usize,
  length: i32,
  step: i32,
  e1: i32,
  e2: i32,
  s0: i32,
  s1: i32,
  s2: i32,
  t0: i32,
  t1: i32,
  t2: i32,
): void {
  const bulk = (<usize>(length & ~3)) << 2;
  const rest = length & 3;
  const sourceStep = (<usize>s2) << 2;
  const targetStep = (<usize>t2) << 2;
  for (let row = from; row < to; ) {
    const k = row % e2;
    const j = row / e2;
    const end = min(to, row + e2 - k);
    let read = source + ((<usize>((j / e1) * s0 + (j % e1) * s1 + k * s2)) << 2);
    let write = target + ((<usize>((j / e1) * t0 + (j % e1) * t1 + k * t2)) << 2);
    for (; row < end; row++, read += sourceStep, write += targetStep) {
      if (step == 0) {
        const value = v128.load32_splat(read);
        for (let at: usize = 0; at < bulk; at += 16) v128.store(write + at, value);
        if (rest > 0) storeFirst(write + bulk, value, rest);
      } else {
        for (let at: usize = 0; at < bulk; at += 16) v128.store(write + at, v128.load(read + at));
        if (rest > 0) storeFirst(write + bulk, v128.load(read + bulk), rest);
      }
    }
  }
}

/** Values of a square of this side are turned together: its lines on both sides stay in the first-level cache. */
const SQUARE: i32 = turnedRows;

/**
 * Turns matrices round: `rows` × `columns` with contiguous columns and rows `sourceStride` apart, to contiguous rows
 * with columns `targetStride` apart, over two outer axes of extents e (the first is not needed). `from` to `to` count
 * strips of 32 rows.
 */
export function turnMatrices(
  from: i32,
  to: i32,
  source: usize,
  target: usize,
  rows: i32,
  columns: i32,
  sourceStride: i32,
  targetStride: i32,
  e1: i32,
  s0: i32,
  s1: i32,
  t0: i32,
  t1: i32,
): void {
  const strips = (rows + SQUARE - 1) / SQUARE;
  for (let strip = from; strip < to; strip++) {
    const matrix = strip / strips;
    const i = matrix / e1;
    const j = matrix % e1;
    const read = source + ((<usize>(i * s0 + j * s1)) << 2);
    const write = target + ((<usize>(i * t0 + j * t1)) << 2);
    turnStrip(
      read,
      write,
      (strip % strips) * SQUARE,
      rows,
      columns,
      (<usize>sourceStride) << 2,
      (<usize>targetStride) << 2,
    );
  }
}

function turnStrip(
  source: usize,
  target: usize,
  top: i32,
  rows: i32,
  columns: i32,
  sourceBytes: usize,
  targetBytes: usize,
): void {
  const bottom = min(rows, top + SQUARE);
  for (let left = 0; left < columns; left += SQUARE) {
    const right = min(columns, left + SQUARE);
    let row = top;
    for (; row + 4 <= bottom; row += 4) {
      const from = source + <usize>row * sourceBytes;
      const to = target + ((<usize>row) << 2);
      let column = left;
      for (; column + 4 <= right; column += 4) {
        turnBlock(from + ((<usize>column) << 2), sourceBytes, to + <usize>column * targetBytes, targetBytes);
      }
      for (; column < right; column++) turnLine(from, to, column, 4, sourceBytes, targetBytes);
    }
    if (row < bottom) {
      const from = source + <usize>row * sourceBytes;
      const to = target + ((<usize>row) << 2);
      for (let column = left; column < right; column++) {
        turnLine(from, to, column, bottom - row, sourceBytes, targetBytes);
      }
    }
  }
}

/** A few rows of one column. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function turnLine(from: usize, to: usize, column: i32, rows: i32, sourceBytes: usize, targetBytes: usize): void {
  const start = from + ((<usize>column) << 2);
  const end = to + <usize>column * targetBytes;
  for (let l = 0; l < rows; l++) store<u32>(end + ((<usize>l) << 2), load<u32>(start + <usize>l * sourceBytes));
}
