// Matrix products after Goto and van de Geijn (ACM TOMS 34, 2008): blocks of both operands are copied into panels in
// the order in which the innermost loop reads them, whichever way they are stored, so that a transposed operand costs
// the same as a plain one.

import { matmulTileColumns, matmulTileRows } from '../src/cpu/wasm/numbers';
import { madd, turnBlock } from './arithmetic';
import { rowTimesMatrix, rowTimesTransposed } from './vector-matrix';
import { EDGE, PACKED_A, PACKED_B } from './workspace';

/**
 * Rows and columns of the tile that stays in registers: 12 sums, two vectors of B and one of A are 15 registers, all
 * that V8 has to give. Fewer sums than multiply-adds under way at once (two a cycle, four cycles each) would wait for
 * each other. Unrolled, the loop would be slower: more vectors live at once, so that sums go to memory.
 */
const TILE_ROWS: i32 = matmulTileRows;
const TILE_COLUMNS: i32 = matmulTileColumns;
/** Terms of the sum in one panel: a panel of B of 8 columns, 8 KiB, stays in the first-level cache. */
const BLOCK_TERMS: i32 = 256;
/** Rows of A packed at once, 126 KiB, and columns of B, 512 KiB: both stay in the second-level cache. */
const BLOCK_ROWS: i32 = 126;
const BLOCK_COLUMNS: i32 = 512;

/**
 * Copies a block of `lines` × `terms` into panels of `width` lines: panel, term, line; missing lines of the last panel
 * are zeros. Line l, term t is at source + l·lineStride + t·termStride (bytes), and one of the strides is 4.
 */
function pack(
  source: usize,
  lineStride: usize,
  termStride: usize,
  lines: i32,
  terms: i32,
  width: i32,
  target: usize,
): void {
  for (let line = 0; line < lines; line += width) {
    const present = min(width, lines - line);
    const from = source + <usize>line * lineStride;
    const rowBytes = (<usize>width) << 2;
    if (present < width) memory.fill(target, 0, <usize>terms * rowBytes);
    for (let quarter = 0; quarter < present; quarter += 4) {
      const start = from + <usize>quarter * lineStride;
      let to = target + ((<usize>quarter) << 2);
      if (present - quarter >= 4) {
        let t = 0;
        if (lineStride == 4) {
          for (; t < terms; t++, to += rowBytes) v128.store(to, v128.load(start + <usize>t * termStride));
        } else {
          for (; t + 4 <= terms; t += 4, to += 4 * rowBytes) {
            turnBlock(start + ((<usize>t) << 2), lineStride, to, rowBytes);
          }
          for (; t < terms; t++, to += rowBytes) {
            for (let l = 0; l < 4; l++) {
              store<f32>(to + ((<usize>l) << 2), load<f32>(start + <usize>l * lineStride + ((<usize>t) << 2)));
            }
          }
        }
      } else if (present - quarter == 2) {
        packTwo(start, lineStride, termStride, terms, to, rowBytes);
      } else {
        for (let t = 0; t < terms; t++, to += rowBytes) {
          for (let l = 0; l < present - quarter; l++) {
            store<f32>(to + ((<usize>l) << 2), load<f32>(start + <usize>l * lineStride + <usize>t * termStride));
          }
        }
      }
    }
    target += <usize>terms * rowBytes;
  }
}

/** Two lines of a panel, the last of six. */
function packTwo(
  source: usize,
  lineStride: usize,
  termStride: usize,
  terms: i32,
  target: usize,
  rowBytes: usize,
): void {
  let t = 0;
  if (lineStride == 4) {
    for (; t < terms; t++, source += termStride, target += rowBytes) store<u64>(target, load<u64>(source));
    return;
  }
  for (; t + 4 <= terms; t += 4, source += 16, target += 4 * rowBytes) {
    const a = v128.load(source);
    const b = v128.load(source + lineStride);
    const low = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const high = i32x4.shuffle(a, b, 2, 6, 3, 7);
    v128.store_lane<f64>(target, low, 0);
    v128.store_lane<f64>(target + rowBytes, low, 1);
    v128.store_lane<f64>(target + 2 * rowBytes, high, 0);
    v128.store_lane<f64>(target + 3 * rowBytes, high, 1);
  }
  for (; t < terms; t++, source += 4, target += rowBytes) {
    store<f32>(target, load<f32>(source));
    store<f32>(target, load<f32>(source + lineStride), 4);
  }
}

/** One tile: out (rows `stride` bytes apart) = or += panel of A · panel of B. */
function tile(a: usize, b: usize, terms: i32, out: usize, stride: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  let c50 = f32x4.splat(0);
  let c51 = f32x4.splat(0);
  const out1 = out + stride;
  const out2 = out1 + stride;
  const out3 = out2 + stride;
  const out4 = out3 + stride;
  const out5 = out4 + stride;
  if (accumulate) {
    c00 = v128.load(out);
    c01 = v128.load(out, 16);
    c10 = v128.load(out1);
    c11 = v128.load(out1, 16);
    c20 = v128.load(out2);
    c21 = v128.load(out2, 16);
    c30 = v128.load(out3);
    c31 = v128.load(out3, 16);
    c40 = v128.load(out4);
    c41 = v128.load(out4, 16);
    c50 = v128.load(out5);
    c51 = v128.load(out5, 16);
  }
  const end = a + <usize>terms * 24;
  for (; a < end; a += 24, b += 32) {
    let b0 = v128.load(b);
    let b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out1, c10);
  v128.store(out1, c11, 16);
  v128.store(out2, c20);
  v128.store(out2, c21, 16);
  v128.store(out3, c30);
  v128.store(out3, c31, 16);
  v128.store(out4, c40);
  v128.store(out4, c41, 16);
  v128.store(out5, c50);
  v128.store(out5, c51, 16);
}

/**
 * A tile of which only some rows and columns exist: computed aside, from what is there, so that its sums are those of a
 * whole one.
 */
function edgeTile(
  a: usize,
  b: usize,
  terms: i32,
  out: usize,
  stride: usize,
  rows: i32,
  columns: i32,
  accumulate: bool,
): void {
  if (accumulate) copyEdge(out, stride, EDGE, TILE_COLUMNS * 4, rows, columns);
  tile(a, b, terms, EDGE, TILE_COLUMNS * 4, accumulate);
  copyEdge(EDGE, TILE_COLUMNS * 4, out, stride, rows, columns);
}

function copyEdge(
  source: usize,
  sourceStride: usize,
  target: usize,
  targetStride: usize,
  rows: i32,
  columns: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const from = source + <usize>row * sourceStride;
    const to = target + <usize>row * targetStride;
    let j = 0;
    for (; j + 4 <= columns; j += 4) v128.store(to + ((<usize>j) << 2), v128.load(from + ((<usize>j) << 2)));
    for (; j < columns; j++) store<f32>(to + ((<usize>j) << 2), load<f32>(from + ((<usize>j) << 2)));
  }
}

/**
 * Products [m, k]·[k, n] of f32, row-major; a transposed operand is stored [k, m] or [n, k]. `strideA` and `strideB`
 * are elements between the matrices of a batch, 0 for one that all share. `from` to `to` count parts of the results:
 * matrix, then `partRows` rows (a multiple of 6), then `partColumns` columns (a multiple of 8).
 *
 * An element is one chain of multiply-adds over the terms in ascending order, from 0, so that neither tiles nor parts
 * change its bits, and another engine can give the same (`packages/native/c/matmul.h`). One row times a transposed
 * matrix is summed in eight lanes.
 */
export function matmul(
  from: i32,
  to: i32,
  a: usize,
  b: usize,
  out: usize,
  m: i32,
  k: i32,
  n: i32,
  transposeA: bool,
  transposeB: bool,
  strideA: i32,
  strideB: i32,
  partRows: i32,
  partColumns: i32,
): void {
  const lineA: usize = transposeA ? 4 : (<usize>k) << 2;
  const termA: usize = transposeA ? (<usize>m) << 2 : 4;
  const lineB: usize = transposeB ? (<usize>k) << 2 : 4;
  const termB: usize = transposeB ? 4 : (<usize>n) << 2;
  const stride = (<usize>n) << 2;
  const across = (n + partColumns - 1) / partColumns;
  const down = (m + partRows - 1) / partRows;
  for (let part = from; part < to; part++) {
    const index = part / (across * down);
    const top = ((part / across) % down) * partRows;
    const left = (part % across) * partColumns;
    const first = a + ((<usize>strideA) << 2) * <usize>index;
    const second = b + ((<usize>strideB) << 2) * <usize>index;
    const target = out + <usize>index * <usize>m * stride;
    if (m == 1) {
      const right = min(n, left + partColumns);
      if (transposeB) rowTimesTransposed(first, second, target, k, left, right);
      else rowTimesMatrix(first, second, target, k, left, right, termB, false);
      continue;
    }
    multiplyPart(
      first,
      second,
      target,
      top,
      min(m, top + partRows),
      left,
      min(n, left + partColumns),
      k,
      lineA,
      termA,
      lineB,
      termB,
      stride,
    );
  }
}

function multiplyPart(
  a: usize,
  b: usize,
  out: usize,
  top: i32,
  bottom: i32,
  left: i32,
  right: i32,
  k: i32,
  lineA: usize,
  termA: usize,
  lineB: usize,
  termB: usize,
  stride: usize,
): void {
  for (let column = left; column < right; column += BLOCK_COLUMNS) {
    const columns = min(BLOCK_COLUMNS, right - column);
    for (let term = 0; term < k; term += BLOCK_TERMS) {
      const terms = min(BLOCK_TERMS, k - term);
      pack(b + <usize>column * lineB + <usize>term * termB, lineB, termB, columns, terms, TILE_COLUMNS, PACKED_B);
      for (let row = top; row < bottom; row += BLOCK_ROWS) {
        const rows = min(BLOCK_ROWS, bottom - row);
        pack(a + <usize>row * lineA + <usize>term * termA, lineA, termA, rows, terms, TILE_ROWS, PACKED_A);
        multiplyBlock(out + <usize>row * stride + ((<usize>column) << 2), stride, rows, columns, terms, term > 0);
      }
    }
  }
}

function multiplyBlock(out: usize, stride: usize, rows: i32, columns: i32, terms: i32, accumulate: bool): void {
  for (let j = 0; j < columns; j += TILE_COLUMNS) {
    const panelB = PACKED_B + ((<usize>(j * terms)) << 2);
    const wide = min(TILE_COLUMNS, columns - j);
    for (let i = 0; i < rows; i += TILE_ROWS) {
      const panelA = PACKED_A + ((<usize>(i * terms)) << 2);
      const high = min(TILE_ROWS, rows - i);
      const at = out + <usize>i * stride + ((<usize>j) << 2);
      if (wide == TILE_COLUMNS && high == TILE_ROWS) tile(panelA, panelB, terms, at, stride, accumulate);
      else edgeTile(panelA, panelB, terms, at, stride, high, wide, accumulate);
    }
  }
}
