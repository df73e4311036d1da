import { firstLanes, laneMaximum, laneSum, loadFirst, madd, storeFirst } from './arithmetic';
import { exponentialOfNegative, exponentialSums } from './exponential';

/**
 * The largest of a row of `width` values times `scale`; −Infinity of nothing. A NaN may be passed over: it shows in the
 * sum.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function scaledMaximum(x: usize, width: i32, scale: v128): f32 {
  const lowest = f32x4.splat(-Infinity);
  let largest = lowest;
  const bulk = x + ((<usize>(width & ~3)) << 2);
  const rest = width & 3;
  // Four independent maxima hide the latency of each.
  let second = lowest;
  let third = lowest;
  let fourth = lowest;
  for (; x + 64 <= bulk; x += 64) {
    largest = f32x4.pmax(largest, f32x4.mul(v128.load(x), scale));
    second = f32x4.pmax(second, f32x4.mul(v128.load(x, 16), scale));
    third = f32x4.pmax(third, f32x4.mul(v128.load(x, 32), scale));
    fourth = f32x4.pmax(fourth, f32x4.mul(v128.load(x, 48), scale));
  }
  largest = f32x4.pmax(f32x4.pmax(largest, second), f32x4.pmax(third, fourth));
  for (; x < bulk; x += 16) largest = f32x4.pmax(largest, f32x4.mul(v128.load(x), scale));
  if (rest > 0) {
    const last = v128.bitselect(f32x4.mul(v128.load(x), scale), lowest, firstLanes(rest));
    largest = f32x4.pmax(largest, last);
  }
  return laneMaximum(largest);
}

/**
 * Softmax of scale·x along the rows `from` to `to` of `width`. Rows come in matrices of `height`: with `causal`, row r
 * of each sees the first r + 1 values, and the probability of the others is 0.
 */
export function softmax(
  from: i32,
  to: i32,
  x: usize,
  out: usize,
  width: i32,
  height: i32,
  scale: f32,
  causal: bool,
): void {
  const scales = f32x4.splat(scale);
  const rowBytes = (<usize>width) << 2;
  x += <usize>from * rowBytes;
  out += <usize>from * rowBytes;
  for (let row = from; row < to; row++, x += rowBytes, out += rowBytes) {
    const visible = causal ? min(width, (row % height) + 1) : width;
    const shift = f32x4.splat(-scaledMaximum(x, visible, scales));
    const bulk = (<usize>(visible & ~3)) << 2;
    const rest = visible & 3;
    let sums = exponentialSums(x, out, bulk, scales, shift);
    let at = bulk;
    if (rest > 0) {
      const value = exponentialOfNegative(f32x4.add(f32x4.mul(v128.load(x + at), scales), shift));
      storeFirst(out + at, value, rest);
      sums = f32x4.add(sums, v128.and(value, firstLanes(rest)));
    }
    const share = f32x4.splat(1 / laneSum(sums));
    for (at = 0; at < bulk; at += 16) v128.store(out + at, f32x4.mul(v128.load(out + at), share));
    if (rest > 0) storeFirst(out + at, f32x4.mul(v128.load(out + at), share), rest);
    if (visible < width) memory.fill(out + ((<usize>visible) << 2), 0, (<usize>(width - visible)) << 2);
  }
}

/** scale·y·(dy − Σ y·dy) along the rows `from` to `to` of `width`: the gradient of softmax at its result y. */
export function softmaxGradient(from: i32, to: i32, y: usize, dy: usize, out: usize, width: i32, scale: f32): void {
  const zero = f32x4.splat(0);
  const scales = f32x4.splat(scale);
  const rowBytes = (<usize>width) << 2;
  const bulk = (<usize>(width & ~3)) << 2;
  const rest = width & 3;
  y += <usize>from * rowBytes;
  dy += <usize>from * rowBytes;
  out += <usize>from * rowBytes;
  for (let row = from; row < to; row++, y += rowBytes, dy += rowBytes, out += rowBytes) {
    let sums = zero;
    let others = zero;
    let at: usize = 0;
    for (; at + 32 <= bulk; at += 32) {
      sums = madd(v128.load(y + at), v128.load(dy + at), sums);
      others = madd(v128.load(y + at, 16), v128.load(dy + at, 16), others);
    }
    sums = f32x4.add(sums, others);
    for (; at < bulk; at += 16) sums = madd(v128.load(y + at), v128.load(dy + at), sums);
    if (rest > 0) sums = madd(loadFirst(y + at, rest, zero), loadFirst(dy + at, rest, zero), sums);
    const inner = f32x4.splat(laneSum(sums));
    for (at = 0; at < bulk; at += 16) {
      const centred = f32x4.sub(v128.load(dy + at), inner);
      v128.store(out + at, f32x4.mul(f32x4.mul(v128.load(y + at), scales), centred));
    }
    if (rest > 0) {
      const centred = f32x4.sub(v128.load(dy + at), inner);
      storeFirst(out + at, f32x4.mul(f32x4.mul(v128.load(y + at), scales), centred), rest);
    }
  }
}
