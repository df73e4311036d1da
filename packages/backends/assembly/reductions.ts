// Sums of float32 values. Short runs add up in float32, runs in float64, and the total is rounded once.

import { laneSum, loadFirst } from './arithmetic';
import { EDGE } from './workspace';

/** Rows, or vectors of a row, that add up in float32. */
const RUN: i32 = 32;

/** out[r] = Σ over a row of `width` values. */
export function sumRows(x: usize, out: usize, rows: i32, width: i32): void {
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++, out += 4) {
    let total: f64 = 0;
    for (let left = width; left > 0; ) {
      const run = min(left, 4 * RUN);
      const bulk = x + (<usize>(run & ~3) << 2);
      let sums = zero;
      for (; x < bulk; x += 16) sums = f32x4.add(sums, v128.load(x));
      const rest = run & 3;
      if (rest > 0) {
        sums = f32x4.add(sums, loadFirst(x, rest, zero));
        x += <usize>rest << 2;
      }
      total += <f64>laneSum(sums);
      left -= run;
    }
    store<f32>(out, <f32>total);
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

/** out[c] = Σ over `rows` rows of their value c of `width`: strips of 16 columns, a cache line of each row. */
export function sumColumns(x: usize, out: usize, rows: i32, width: i32): void {
  const zero = f32x4.splat(0);
  const stride = <usize>width << 2;
  let column = 0;
  for (; column + 16 <= width; column += 16) {
    memory.fill(EDGE, 0, 128);
    let at = x + (<usize>column << 2);
    for (let top = 0; top < rows; top += RUN) {
      const bottom = min(rows, top + RUN);
      let a = zero;
      let b = zero;
      let c = zero;
      let d = zero;
      for (let row = top; row < bottom; row++, at += stride) {
        a = f32x4.add(a, v128.load(at));
        b = f32x4.add(b, v128.load(at, 16));
        c = f32x4.add(c, v128.load(at, 32));
        d = f32x4.add(d, v128.load(at, 48));
      }
      addTo(EDGE, a);
      addTo(EDGE + 32, b);
      addTo(EDGE + 64, c);
      addTo(EDGE + 96, d);
    }
    finish(out, column, 16);
  }
  for (; column < width; column += 4) {
    const count = min(4, width - column);
    memory.fill(EDGE, 0, 32);
    let at = x + (<usize>column << 2);
    for (let top = 0; top < rows; top += RUN) {
      const bottom = min(rows, top + RUN);
      let sums = zero;
      for (let row = top; row < bottom; row++, at += stride) sums = f32x4.add(sums, loadFirst(at, count, zero));
      addTo(EDGE, sums);
    }
    finish(out, column, count);
  }
}

function finish(out: usize, column: i32, count: i32): void {
  for (let j = 0; j < count; j++) {
    store<f32>(out + (<usize>(column + j) << 2), <f32>load<f64>(EDGE + (<usize>j << 3)));
  }
}
