// Products of encoded operands, by the definition of `BlockProductKernels` in @lmd/core: sums of a block in integers,
// one rounding a block.

import { blockTileColumns, blockTileRows, ProductVariant } from '../src/cpu/wasm/numbers';
import { ProductEntry } from '../src/cpu/wasm/tables';
import { madd } from './arithmetic';
import {
  BLOCK_HEAD,
  blockSize,
  configure,
  largestExponent,
  leastExponent,
  OPERAND_BYTES,
  packPanel,
  steps,
} from './block-panels';
import { rowFits, rowTimesCodes, SMALLEST_NORMAL } from './block-row';
import { EDGE, PACKED_A, PACKED_B } from './workspace';

/**
 * Eight sums, two vectors of B, one of A, one of products and one of ones: with a row more, V8 would keep some in
 * memory.
 */
const TILE_ROWS: i32 = blockTileRows;
const TILE_COLUMNS: i32 = blockTileColumns;
const TILE_BYTES: usize = TILE_ROWS * TILE_COLUMNS * 4;
/** Bytes of one lane, and blocks, that are packed at once. */
const LANE_BYTES: i32 = 1024;
const CHUNK_BLOCKS: i32 = 64;
/** Rows of A and columns of B that are packed at once: all that there is room for in the workspace of `matmul.ts`. */
const BLOCK_ROWS: i32 = 64;
const BLOCK_COLUMNS: i32 = 256;

const PANELS_A: usize = BLOCK_ROWS / TILE_ROWS;
const PANELS_B: usize = BLOCK_COLUMNS / TILE_COLUMNS;
const PANEL_HEAD: usize = CHUNK_BLOCKS * BLOCK_HEAD;
const SCALES_A: usize = BLOCK_ROWS * LANE_BYTES;
const STARTS_A: usize = SCALES_A + PANELS_A * PANEL_HEAD;
const SCALES_B: usize = BLOCK_COLUMNS * LANE_BYTES;
const STARTS_B: usize = SCALES_B + PANELS_B * PANEL_HEAD;
/** Least and largest exponent of each panel. */
const RANGES_A: usize = STARTS_B + PANELS_B * PANEL_HEAD;
const RANGES_B: usize = RANGES_A + PANELS_A * 8;
/** The sums of one block of a tile; scales of 1; integers of 16 bits of 1. */
const SUMS: usize = RANGES_B + PANELS_B * 8;
const ONES: usize = SUMS + TILE_BYTES;
const SHORT_ONES: usize = ONES + 32;

/** c plus the products of each lane's 4 bytes, or 2 numbers of 16 bits. `ones` are of 16 bits. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function dot(variant: i32, a: v128, b: v128, c: v128, ones: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (variant == ProductVariant.offsetA) return i32x4.relaxed_dot_i8x16_i7x16_add_s(b, a, c);
    if (variant == ProductVariant.offsetB) return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, c);
    // The sums of two products fit 16 bits.
    if (variant == ProductVariant.offsetAInSteps) {
      return i32x4.add(i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(b, a), ones), c);
    }
    if (variant == ProductVariant.offsetBInSteps) {
      return i32x4.add(i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a, b), ones), c);
    }
  }
  return i32x4.add(i32x4.dot_i16x8_s(a, b), c);
}

/** y + sum·b·a, in four columns. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function addScaled(at: usize, sum: v128, b: v128, a: v128): void {
  v128.store(at, madd(f32x4.mul(f32x4.convert_i32x4_s(sum), b), a, v128.load(at)));
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function tileOf(
  variant: i32,
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
): void {
  const bytes = (<usize>steps) << 5;
  const ones = v128.load(PACKED_B + SHORT_ONES);
  for (let head: usize = 0; head < <usize>blocks * BLOCK_HEAD; head += BLOCK_HEAD) {
    let c00 = i32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    if (variant == ProductVariant.offsetA || variant == ProductVariant.offsetAInSteps) {
      c00 = v128.load(startsB + head);
      c01 = v128.load(startsB + head, 16);
      c10 = c00;
      c11 = c01;
      c20 = c00;
      c21 = c01;
      c30 = c00;
      c31 = c01;
    } else if (variant != ProductVariant.wide) {
      c00 = v128.load32_splat(startsA + head);
      c01 = c00;
      c10 = v128.load32_splat(startsA + head, 4);
      c11 = c10;
      c20 = v128.load32_splat(startsA + head, 8);
      c21 = c20;
      c30 = v128.load32_splat(startsA + head, 12);
      c31 = c30;
    }
    for (const end = b + bytes; b < end; a += 16, b += 32) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let x = v128.load32_splat(a);
      c00 = dot(variant, x, b0, c00, ones);
      c01 = dot(variant, x, b1, c01, ones);
      x = v128.load32_splat(a, 4);
      c10 = dot(variant, x, b0, c10, ones);
      c11 = dot(variant, x, b1, c11, ones);
      x = v128.load32_splat(a, 8);
      c20 = dot(variant, x, b0, c20, ones);
      c21 = dot(variant, x, b1, c21, ones);
      x = v128.load32_splat(a, 12);
      c30 = dot(variant, x, b0, c30, ones);
      c31 = dot(variant, x, b1, c31, ones);
    }
    const s0 = v128.load(scalesB + head);
    const s1 = v128.load(scalesB + head, 16);
    let t = v128.load32_splat(scalesA + head);
    addScaled(y, c00, s0, t);
    addScaled(y + 16, c01, s1, t);
    t = v128.load32_splat(scalesA + head, 4);
    addScaled(y + 32, c10, s0, t);
    addScaled(y + 48, c11, s1, t);
    t = v128.load32_splat(scalesA + head, 8);
    addScaled(y + 64, c20, s0, t);
    addScaled(y + 80, c21, s1, t);
    t = v128.load32_splat(scalesA + head, 12);
    addScaled(y + 96, c30, s0, t);
    addScaled(y + 112, c31, s1, t);
  }
}

function tileOffsetA(
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
): void {
  tileOf(ProductVariant.offsetA, a, b, scalesA, scalesB, startsA, startsB, blocks, y);
}

function tileOffsetB(
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
): void {
  tileOf(ProductVariant.offsetB, a, b, scalesA, scalesB, startsA, startsB, blocks, y);
}

function tileOffsetAInSteps(
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
): void {
  tileOf(ProductVariant.offsetAInSteps, a, b, scalesA, scalesB, startsA, startsB, blocks, y);
}

function tileOffsetBInSteps(
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
): void {
  tileOf(ProductVariant.offsetBInSteps, a, b, scalesA, scalesB, startsA, startsB, blocks, y);
}

function tileWide(
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
): void {
  tileOf(ProductVariant.wide, a, b, scalesA, scalesB, startsA, startsB, blocks, y);
}

/**
 * Adds `blocks` blocks to the tile `y`, where all terms and sums are normal numbers or 0. Each variant is a function of
 * its own, called by reference, since engines keep the sums in registers only where a function has one such loop.
 */
type Tile = (
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
) => void;

function tileFor(variant: i32): Tile {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (variant == ProductVariant.offsetA) return tileOffsetA;
    if (variant == ProductVariant.offsetB) return tileOffsetB;
    if (variant == ProductVariant.offsetAInSteps) return tileOffsetAInSteps;
    if (variant == ProductVariant.offsetBInSteps) return tileOffsetBInSteps;
  }
  return tileWide;
}

/** As `tile`, for scales of any size: block by block, and number by number in float64. */
function carefulTile(
  tile: Tile,
  a: usize,
  b: usize,
  scalesA: usize,
  scalesB: usize,
  startsA: usize,
  startsB: usize,
  blocks: i32,
  y: usize,
  unit: f64,
): void {
  const sums = PACKED_B + SUMS;
  const ones = PACKED_B + ONES;
  for (let i = 0; i < 8; i++) store<f32>(ones + ((<usize>i) << 2), 1);
  for (let i: usize = 0; i < <usize>blocks; i++) {
    const head = i * BLOCK_HEAD;
    memory.fill(sums, 0, TILE_BYTES);
    const codes = i * <usize>steps;
    tile(a + 16 * codes, b + 32 * codes, ones, ones, startsA + head, startsB + head, 1, sums);
    for (let row: usize = 0; row < <usize>TILE_ROWS; row++) {
      const scaleA = <f64>load<f32>(scalesA + head + (row << 2)) * unit;
      for (let column: usize = 0; column < <usize>TILE_COLUMNS; column++) {
        const at = (row << 5) + (column << 2);
        const exact = <f64>load<f32>(sums + at) * (scaleA * <f64>load<f32>(scalesB + head + (column << 2)));
        // Beyond f32, the conversion gives an infinity.
        const term = abs(exact) < SMALLEST_NORMAL ? <f32>0 : <f32>exact;
        const next = load<f32>(y + at) + term;
        store<f32>(y + at, abs(next) < <f32>SMALLEST_NORMAL ? 0 : next);
      }
    }
  }
}

/** Copies a tile to the result or from it: `rows` rows of `columns` numbers. */
function copyTile(tile: usize, out: usize, stride: usize, rows: i32, columns: i32, back: bool): void {
  for (let row = 0; row < rows; row++, tile += 32, out += stride) {
    if (columns == TILE_COLUMNS) {
      const from = back ? out : tile;
      const to = back ? tile : out;
      const low = v128.load(from);
      const high = v128.load(from, 16);
      v128.store(to, low);
      v128.store(to, high, 16);
    } else {
      for (let column: usize = 0; column < (<usize>columns) << 2; column += 4) {
        if (back) store<f32>(tile + column, load<f32>(out + column));
        else store<f32>(out + column, load<f32>(tile + column));
      }
    }
  }
}

/** Whether the terms of two panels are normal numbers or 0, as is each factor and product on the way to them. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function isPlain(rangeA: usize, rangeB: usize): bool {
  const leastA = load<i32>(rangeA);
  const leastB = load<i32>(rangeB);
  const largestB = load<i32>(rangeB, 4);
  const low = leastA >= -126 && leastB >= -126 && leastA + leastB >= -126;
  return low && largestB <= 103 && load<i32>(rangeA, 4) + largestB <= 103;
}

let tileNow: Tile = tileWide;
let always: bool = false;
let unitNow: f64 = 1;

/**
 * Products [m, terms]·[n, terms]ᵀ of encoded operands. At `settings`: a `ProductEntry`, then an `OperandEntry` for
 * each. `from` to `to` count parts of the results: matrix, then `partRows` rows (a multiple of 4), then `partColumns`
 * columns (a multiple of 8).
 */
export function blockMatmul(
  from: i32,
  to: i32,
  settings: usize,
  out: usize,
  m: i32,
  terms: i32,
  n: i32,
  partRows: i32,
  partColumns: i32,
): void {
  const variant = load<i32>(settings, 4 * ProductEntry.variant);
  tileNow = tileFor(variant);
  v128.store(PACKED_B + SHORT_ONES, i16x8.splat(1));
  configure(load<i32>(settings, 4 * ProductEntry.blockSize), variant == ProductVariant.wide);
  always = load<i32>(settings, 4 * ProductEntry.careful) != 0;
  unitNow = reinterpret<f64>((<i64>(load<i32>(settings, 4 * ProductEntry.unitExponent) + 1023)) << 52);
  const a = settings + 4 * ProductEntry.words;
  const b = a + OPERAND_BYTES;
  const stride = (<usize>n) << 2;
  const across = (n + partColumns - 1) / partColumns;
  const down = (m + partRows - 1) / partRows;
  for (let part = from; part < to; part++) {
    const matrix = part / (across * down);
    const top = ((part / across) % down) * partRows;
    const left = (part % across) * partColumns;
    const target = out + <usize>matrix * <usize>m * stride;
    multiplyPart(a, b, matrix, target, stride, top, min(m, top + partRows), left, min(n, left + partColumns), terms);
  }
}

function multiplyPart(
  a: usize,
  b: usize,
  matrix: i32,
  out: usize,
  stride: usize,
  top: i32,
  bottom: i32,
  left: i32,
  right: i32,
  terms: i32,
): void {
  if (bottom - top == 1 && !always && rowFits(a)) {
    rowTimesCodes(a, b, matrix, top, left, right, out + <usize>top * stride);
    return;
  }
  const blocks = (terms + blockSize - 1) / blockSize;
  const together = min(CHUNK_BLOCKS, LANE_BYTES / (steps << 2));
  for (let column = left; column < right; column += BLOCK_COLUMNS) {
    const columns = min(BLOCK_COLUMNS, right - column);
    for (let block = 0; block < blocks; block += together) {
      const count = min(together, blocks - block);
      pack(b, matrix, column, columns, TILE_COLUMNS, block, count, PACKED_B, SCALES_B, STARTS_B, RANGES_B);
      for (let row = top; row < bottom; row += BLOCK_ROWS) {
        const rows = min(BLOCK_ROWS, bottom - row);
        pack(a, matrix, row, rows, TILE_ROWS, block, count, PACKED_A, SCALES_A, STARTS_A, RANGES_A);
        multiplyBlock(out + <usize>row * stride + ((<usize>column) << 2), stride, rows, columns, count, block > 0);
      }
    }
  }
}

/** Packs `lines` rows of an operand, `width` a panel. Codes, scales and starts are at `base`; ranges are with B. */
function pack(
  operand: usize,
  matrix: i32,
  line: i32,
  lines: i32,
  width: i32,
  block: i32,
  count: i32,
  base: usize,
  scales: usize,
  starts: usize,
  ranges: usize,
): void {
  const bytes = (<usize>(count * steps * width)) << 2;
  let panel: usize = 0;
  for (let i = 0; i < lines; i += width, panel++) {
    const head = panel * PANEL_HEAD;
    packPanel(
      operand,
      matrix,
      line + i,
      width,
      block,
      count,
      base + panel * bytes,
      base + scales + head,
      base + starts + head,
    );
    store<i32>(PACKED_B + ranges + (panel << 3), leastExponent);
    store<i32>(PACKED_B + ranges + (panel << 3), largestExponent, 4);
  }
}

function multiplyBlock(out: usize, stride: usize, rows: i32, columns: i32, blocks: i32, accumulate: bool): void {
  const bytes = (<usize>(blocks * steps)) << 2;
  for (let j = 0; j < columns; j += TILE_COLUMNS) {
    const panelB = <usize>(j / TILE_COLUMNS);
    const codesB = PACKED_B + panelB * bytes * TILE_COLUMNS;
    const headB = PACKED_B + panelB * PANEL_HEAD;
    const wide = min(TILE_COLUMNS, columns - j);
    for (let i = 0; i < rows; i += TILE_ROWS) {
      const panelA = <usize>(i / TILE_ROWS);
      const codesA = PACKED_A + panelA * bytes * TILE_ROWS;
      const headA = PACKED_A + panelA * PANEL_HEAD;
      const high = min(TILE_ROWS, rows - i);
      const at = out + <usize>i * stride + ((<usize>j) << 2);
      if (accumulate) copyTile(EDGE, at, stride, high, wide, true);
      else memory.fill(EDGE, 0, TILE_BYTES);
      const scalesA = headA + SCALES_A;
      const scalesB = headB + SCALES_B;
      const startsA = headA + STARTS_A;
      const startsB = headB + STARTS_B;
      if (!always && isPlain(PACKED_B + RANGES_A + (panelA << 3), PACKED_B + RANGES_B + (panelB << 3))) {
        tileNow(codesA, codesB, scalesA, scalesB, startsA, startsB, blocks, EDGE);
      } else {
        carefulTile(tileNow, codesA, codesB, scalesA, scalesB, startsA, startsB, blocks, EDGE, unitNow);
      }
      copyTile(EDGE, at, stride, high, wide, false);
    }
  }
}

/** y·factor·2^exponent for the elements `from` to `to`: the scales of whole tensors, the factor from 1 to 4. */
export function scaleProduct(from: i32, to: i32, out: usize, factor: f32, exponent: i32): void {
  const power = reinterpret<f64>((<i64>(exponent + 1023)) << 52);
  for (let i = from; i < to; i++) {
    const at = out + ((<usize>i) << 2);
    const exact = <f64>(load<f32>(at) * factor) * power;
    store<f32>(at, abs(exact) < SMALLEST_NORMAL ? 0 : <f32>exact);
  }
}
