// Blocks with a stride: `rows` rows of `width` elements, each column of which is a block. Four columns go at once; the
// last four may overlap those before them, since sources and targets are apart and doing a column twice gives the same
// bits.

import { encodeFourColumns, roundFourColumns } from './run';
import { fourBytes, prepareFour } from './scales';
import { magnitudeWord } from './settings';
import { encodeSingle, roundSingle } from './single';

/** The largest magnitudes of four columns. */
function largestOfColumns(source: usize, rows: i32, step: usize): v128 {
  const mask = i32x4.splat(magnitudeWord);
  let largest = i32x4.splat(0);
  for (let row = 0; row < rows; row++, source += step) {
    largest = i32x4.max_s(largest, v128.and(v128.load(source), mask));
  }
  return largest;
}

/** Rounds `rows` rows of `width` elements along the columns. */
export function roundColumns(source: usize, target: usize, words: usize, rows: i32, width: i32): void {
  const step = (<usize>width) << 2;
  for (let column = 0; column < width; column += 4) {
    const first = max(min(column, width - 4), 0);
    const at = (<usize>first) << 2;
    const from = source + at;
    const to = target + at;
    if (width >= 4 && prepareFour(largestOfColumns(from, rows, step))) {
      roundFourColumns(from, to, words + at, rows, step);
    } else {
      const end = (<usize>min(width - first, 4)) << 2;
      for (let lane: usize = 0; lane < end; lane += 4)
        roundSingle(from + lane, to + lane, words + at + lane, rows, step);
    }
  }
}

/** Encodes `rows` rows of `width` elements along the columns: a byte a code, and a scale byte a column. */
export function encodeColumns(source: usize, codes: usize, scales: usize, words: usize, rows: i32, width: i32): void {
  const step = (<usize>width) << 2;
  for (let column = 0; column < width; column += 4) {
    const first = max(min(column, width - 4), 0);
    const at = (<usize>first) << 2;
    const from = source + at;
    if (width >= 4 && prepareFour(largestOfColumns(from, rows, step))) {
      store<i32>(scales + first, fourBytes());
      encodeFourColumns(from, codes + first, words + at, rows, step);
    } else {
      const lanes = min(width - first, 4);
      for (let lane = 0; lane < lanes; lane++) {
        const beyond = (<usize>lane) << 2;
        const byte = encodeSingle(from + beyond, codes + first + lane, words + at + beyond, rows, step);
        store<u8>(scales + first + lane, <u8>byte);
      }
    }
  }
}
