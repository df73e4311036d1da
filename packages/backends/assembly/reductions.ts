// Sums of float32 values: short runs add up in float32, runs in float64, and the total is rounded once. Long sums are
// parted by their shape alone, so that they add up in the same order however many threads there are. Maxima, and where
// they are.

import { bandColumns } from '../src/cpu/wasm/numbers';
import { firstLanes, laneSum, loadFirst, storeFirst } from './arithmetic';
import { EDGE } from './workspace';

/** Rows, or vectors of a row, that add up in float32. */
const RUN: i32 = 32;

/** The sum of `width` values. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function sumOf(x: usize, width: i32): f64 {
  const zero = f32x4.splat(0);
  let total: f64 = 0;
  for (let left = width; left > 0; ) {
    const run = min(left, 4 * RUN);
    const bulk = x + ((<usize>(run & ~3)) << 2);
    let sums = zero;
    for (; x < bulk; x += 16) sums = f32x4.add(sums, v128.load(x));
    const rest = run & 3;
    if (rest > 0) {
      sums = f32x4.add(sums, loadFirst(x, rest, zero));
      x += (<usize>rest) << 2;
    }
    total += <f64>laneSum(sums);
    left -= run;
  }
  return total;
}

/** out[r] = Σ over a row of `width` values, for the rows `from` to `to`. */
export function sumRows(from: i32, to: i32, x: usize, out: usize, width: i32): void {
  for (let row = from; row < to; row++) {
    store<f32>(out + ((<usize>row) << 2), <f32>sumOf(x + <usize>row * ((<usize>width) << 2), width));
  }
}

/** The float64 sums `from` to `to` of parts of rows: row, then part of `partWidth` values, `parts` a row. */
export function sumRowParts(from: i32, to: i32, x: usize, totals: usize, width: i32, partWidth: i32, parts: i32): void {
  for (let index = from; index < to; index++) {
    const start = (index % parts) * partWidth;
    const at = x + ((<usize>(index / parts) * <usize>width + <usize>start) << 2);
    store<f64>(totals + ((<usize>index) << 3), sumOf(at, min(partWidth, width - start)));
  }
}

/** Adds four float32 sums to float64 totals. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function addTo(totals: usize, sums: v128): void {
  const high = i32x4.shuffle(sums, sums, 2, 3, 2, 3);
  v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(sums)));
  v128.store(totals, f64x2.add(v128.load(totals, 16), f64x2.promote_low_f32x4(high)), 16);
}

/**
 * Columns, in sixteens, of one band: with `RUN` rows of it, what a thread reads at a time stays in the nearer caches
 * and pages.
 */
const BAND: i32 = bandColumns / 16;

/**
 * Sums of the columns of [rows, width] by parts: part of `partRows` rows, then band of 512 columns. Part p's float64
 * total of a column goes to `totals` at [p, columns counted in sixteens].
 */
export function sumColumnParts(
  from: i32,
  to: i32,
  x: usize,
  totals: usize,
  rows: i32,
  width: i32,
  partRows: i32,
): void {
  const stride = (<usize>width) << 2;
  const strips = (width + 15) >> 4;
  const bands = (strips + BAND - 1) / BAND;
  for (let index = from; index < to; index++) {
    const part = index / bands;
    const first = (index % bands) * BAND;
    const last = min(strips, first + BAND);
    const end = min(rows, (part + 1) * partRows);
    const sums = totals + ((<usize>(part * strips)) << 7);
    memory.fill(sums + ((<usize>first) << 7), 0, (<usize>(last - first)) << 7);
    for (let top = part * partRows; top < end; top += RUN) {
      const count = min(RUN, end - top);
      const at = x + <usize>top * stride;
      for (let strip = first; strip < last; strip++) {
        sumStrip(
          at + ((<usize>strip) << 6),
          sums + ((<usize>strip) << 7),
          count,
          min(16, width - (strip << 4)),
          stride,
        );
      }
    }
  }
}

/** Adds the sums of up to 16 columns of a few rows to their totals. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function sumStrip(x: usize, totals: usize, rows: i32, columns: i32, stride: usize): void {
  const zero = f32x4.splat(0);
  if (columns == 16) {
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    for (let row = 0; row < rows; row++, x += stride) {
      a = f32x4.add(a, v128.load(x));
      b = f32x4.add(b, v128.load(x, 16));
      c = f32x4.add(c, v128.load(x, 32));
      d = f32x4.add(d, v128.load(x, 48));
    }
    addTo(totals, a);
    addTo(totals + 32, b);
    addTo(totals + 64, c);
    addTo(totals + 96, d);
    return;
  }
  for (let column = 0; column < columns; column += 4) {
    const count = min(4, columns - column);
    let at = x + ((<usize>column) << 2);
    let sums = zero;
    for (let row = 0; row < rows; row++, at += stride) sums = f32x4.add(sums, loadFirst(at, count, zero));
    addTo(totals + ((<usize>column) << 3), sums);
  }
}

/**
 * Sums over the middle one of the axes [any, `terms`, `inner`], for the outer indices `from` to `to`: sixteen columns
 * at a time, whose totals stand in the workspace.
 */
export function sumSlabs(from: i32, to: i32, x: usize, out: usize, terms: i32, inner: i32): void {
  const stride = (<usize>inner) << 2;
  const totals = EDGE;
  for (let index = from; index < to; index++) {
    const slab = x + <usize>index * <usize>terms * stride;
    const target = out + <usize>index * stride;
    for (let column = 0; column < inner; column += 16) {
      const columns = min(16, inner - column);
      const at = slab + ((<usize>column) << 2);
      memory.fill(totals, 0, 128);
      for (let top = 0; top < terms; top += RUN) {
        sumStrip(at + <usize>top * stride, totals, min(RUN, terms - top), columns, stride);
      }
      const to = target + ((<usize>column) << 2);
      for (let i = 0; i < columns; i++) store<f32>(to + ((<usize>i) << 2), <f32>load<f64>(totals + ((<usize>i) << 3)));
    }
  }
}

/**
 * Maxima over the middle one of the axes [any, `terms`, `inner`], for the outer indices `from` to `to`; NaN where there
 * is one.
 */
export function maxSlabs(from: i32, to: i32, x: usize, out: usize, terms: i32, inner: i32): void {
  const stride = (<usize>inner) << 2;
  for (let index = from; index < to; index++) {
    const slab = x + <usize>index * <usize>terms * stride;
    const target = out + <usize>index * stride;
    for (let column = 0; column < inner; column += 4) {
      let at = slab + ((<usize>column) << 2);
      let largest = f32x4.splat(-Infinity);
      for (let row = 0; row < terms; row++, at += stride) largest = f32x4.max(largest, v128.load(at));
      const to = target + ((<usize>column) << 2);
      if (inner - column >= 4) v128.store(to, largest);
      else storeFirst(to, largest, inner - column);
    }
  }
}

/** out[i] = Σ over `parts` of totals[part·partStride + i·stride], for i from `from` to `to`. */
export function addParts(
  from: i32,
  to: i32,
  totals: usize,
  out: usize,
  parts: i32,
  partStride: i32,
  stride: i32,
): void {
  for (let i = from; i < to; i++) {
    let at = totals + ((<usize>(i * stride)) << 3);
    let total: f64 = 0;
    for (let part = 0; part < parts; part++, at += (<usize>partStride) << 3) total += load<f64>(at);
    store<f32>(out + ((<usize>i) << 2), <f32>total);
  }
}

/** out[r] = the largest value of row r, NaN where there is one, for the rows `from` to `to`. */
export function maxRows(from: i32, to: i32, x: usize, out: usize, width: i32): void {
  const bulk = (<usize>(width & ~3)) << 2;
  const rest = width & 3;
  x += <usize>from * ((<usize>width) << 2);
  for (let row = from; row < to; row++) {
    let largest = f32x4.splat(-Infinity);
    const end = x + bulk;
    for (; x < end; x += 16) largest = f32x4.max(largest, v128.load(x));
    if (rest > 0) {
      largest = f32x4.max(largest, v128.bitselect(v128.load(x), largest, firstLanes(rest)));
      x += (<usize>rest) << 2;
    }
    const two = f32x4.max(largest, i32x4.shuffle(largest, largest, 2, 3, 0, 1));
    store<f32>(out + ((<usize>row) << 2), max(f32x4.extract_lane(two, 0), f32x4.extract_lane(two, 1)));
  }
}

/** Where the first largest value of each row is; a NaN counts as the largest. For the rows `from` to `to`. */
export function argMaxRows(from: i32, to: i32, x: usize, out: usize, width: i32, integers: bool): void {
  x += <usize>from * ((<usize>width) << 2);
  for (let row = from; row < to; row++, x += (<usize>width) << 2) {
    store<i32>(out + ((<usize>row) << 2), integers ? firstLargest<i32>(x, width) : firstLargest<f32>(x, width));
  }
}

function firstLargest<T>(x: usize, width: i32): i32 {
  let best = 0;
  let leader = load<T>(x);
  for (let i = 1; i < width && leader == leader; i++) {
    const value = load<T>(x + ((<usize>i) << 2));
    if (value > leader || value != value) {
      best = i;
      leader = value;
    }
  }
  return best;
}
