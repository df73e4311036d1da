// A row times a matrix, as in generating text: each weight is used once, so that memory bounds it and nothing is
// packed.

import { laneSum, loadFirst, madd, storeFirst } from './arithmetic';

/** Columns whose sums stay in the first-level cache. */
const BAND: i32 = 2048;

/** out[j] = or += Σ over eight rows of b, `stride` bytes apart, of a[t]·b[t, j]: eight streams, each read in order. */
function addEight(a: usize, b: usize, out: usize, columns: i32, stride: usize, accumulate: bool): void {
  const x0 = v128.load32_splat(a);
  const x1 = v128.load32_splat(a, 4);
  const x2 = v128.load32_splat(a, 8);
  const x3 = v128.load32_splat(a, 12);
  const x4 = v128.load32_splat(a, 16);
  const x5 = v128.load32_splat(a, 20);
  const x6 = v128.load32_splat(a, 24);
  const x7 = v128.load32_splat(a, 28);
  const b1 = b + stride;
  const b2 = b1 + stride;
  const b3 = b2 + stride;
  const b4 = b3 + stride;
  const b5 = b4 + stride;
  const b6 = b5 + stride;
  const b7 = b6 + stride;
  const end = (<usize>columns) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const left = columns - <i32>(at >> 2);
    let sum = accumulate ? v128.load(out + at) : f32x4.splat(0);
    sum = madd(x0, v128.load(b + at), sum);
    sum = madd(x1, v128.load(b1 + at), sum);
    sum = madd(x2, v128.load(b2 + at), sum);
    sum = madd(x3, v128.load(b3 + at), sum);
    sum = madd(x4, v128.load(b4 + at), sum);
    sum = madd(x5, v128.load(b5 + at), sum);
    sum = madd(x6, v128.load(b6 + at), sum);
    sum = madd(x7, v128.load(b7 + at), sum);
    if (left >= 4) v128.store(out + at, sum);
    else storeFirst(out + at, sum, left);
  }
}

function addOne(a: usize, b: usize, out: usize, columns: i32, accumulate: bool): void {
  const x = v128.load32_splat(a);
  const end = (<usize>columns) << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const left = columns - <i32>(at >> 2);
    const sum = madd(x, v128.load(b + at), accumulate ? v128.load(out + at) : f32x4.splat(0));
    if (left >= 4) v128.store(out + at, sum);
    else storeFirst(out + at, sum, left);
  }
}

/** The columns `left` to `right` of a [k] · b [k, n], whose rows are `stride` bytes apart; added where `accumulate`. */
export function rowTimesMatrix(
  a: usize,
  b: usize,
  out: usize,
  k: i32,
  left: i32,
  right: i32,
  stride: usize,
  accumulate: bool,
): void {
  for (let column = left; column < right; column += BAND) {
    const columns = min(BAND, right - column);
    const at = (<usize>column) << 2;
    let t = 0;
    for (; t + 8 <= k; t += 8) {
      addEight(a + ((<usize>t) << 2), b + <usize>t * stride + at, out + at, columns, stride, accumulate || t > 0);
    }
    for (; t < k; t++) addOne(a + ((<usize>t) << 2), b + <usize>t * stride + at, out + at, columns, accumulate || t > 0);
  }
}

/** Σ a[t]·b[t]: in two sums of four lanes. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function dot(a: usize, b: usize, k: i32): f32 {
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  let left = k;
  for (; left >= 8; left -= 8, a += 32, b += 32) {
    even = madd(v128.load(a), v128.load(b), even);
    odd = madd(v128.load(a, 16), v128.load(b, 16), odd);
  }
  for (; left > 0; left -= 4, a += 16, b += 16) {
    even = madd(loadFirst(a, left, f32x4.splat(0)), loadFirst(b, left, f32x4.splat(0)), even);
  }
  return laneSum(f32x4.add(even, odd));
}

/**
 * The columns `left` to `right` of a [k] · bᵀ, for b [n, k]. A column's bits are the same beside three others as by
 * itself.
 */
export function rowTimesTransposed(a: usize, b: usize, out: usize, k: i32, left: i32, right: i32): void {
  const stride = (<usize>k) << 2;
  const bulk = (<usize>(k & ~7)) << 2;
  const zero = f32x4.splat(0);
  let column = left;
  for (; column + 4 <= right; column += 4) {
    const b0 = b + <usize>column * stride;
    const b1 = b0 + stride;
    const b2 = b1 + stride;
    const b3 = b2 + stride;
    let even0 = zero;
    let even1 = zero;
    let even2 = zero;
    let even3 = zero;
    let odd0 = zero;
    let odd1 = zero;
    let odd2 = zero;
    let odd3 = zero;
    let at: usize = 0;
    for (; at < bulk; at += 32) {
      const x = v128.load(a + at);
      even0 = madd(x, v128.load(b0 + at), even0);
      even1 = madd(x, v128.load(b1 + at), even1);
      even2 = madd(x, v128.load(b2 + at), even2);
      even3 = madd(x, v128.load(b3 + at), even3);
      const y = v128.load(a + at, 16);
      odd0 = madd(y, v128.load(b0 + at, 16), odd0);
      odd1 = madd(y, v128.load(b1 + at, 16), odd1);
      odd2 = madd(y, v128.load(b2 + at, 16), odd2);
      odd3 = madd(y, v128.load(b3 + at, 16), odd3);
    }
    for (let rest = k & 7; rest > 0; rest -= 4, at += 16) {
      const x = loadFirst(a + at, rest, zero);
      even0 = madd(x, loadFirst(b0 + at, rest, zero), even0);
      even1 = madd(x, loadFirst(b1 + at, rest, zero), even1);
      even2 = madd(x, loadFirst(b2 + at, rest, zero), even2);
      even3 = madd(x, loadFirst(b3 + at, rest, zero), even3);
    }
    const to = out + ((<usize>column) << 2);
    store<f32>(to, laneSum(f32x4.add(even0, odd0)));
    store<f32>(to, laneSum(f32x4.add(even1, odd1)), 4);
    store<f32>(to, laneSum(f32x4.add(even2, odd2)), 8);
    store<f32>(to, laneSum(f32x4.add(even3, odd3)), 12);
  }
  for (; column < right; column++) {
    store<f32>(out + ((<usize>column) << 2), dot(a, b + <usize>column * stride, k));
  }
}
