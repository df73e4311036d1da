// Layer normalisation (Ba et al., arXiv:1607.06450) of rows: biased variance, in two passes over a row that stays in
// the cache.

import { normPartRows } from '../src/cpu/wasm/numbers';
import { firstLanes, laneSum, loadFirst, madd, storeFirst } from './arithmetic';

// @ts-ignore: decorators are AssemblyScript's
@inline
function rowMean(x: usize, bulk: usize, rest: i32, width: f32): f32 {
  let sums = f32x4.splat(0);
  // Four independent sums hide the latency of additions.
  let second = sums;
  let third = sums;
  let fourth = sums;
  const end = x + bulk;
  for (; x + 64 <= end; x += 64) {
    sums = f32x4.add(sums, v128.load(x));
    second = f32x4.add(second, v128.load(x, 16));
    third = f32x4.add(third, v128.load(x, 32));
    fourth = f32x4.add(fourth, v128.load(x, 48));
  }
  sums = f32x4.add(f32x4.add(sums, second), f32x4.add(third, fourth));
  for (; x < end; x += 16) sums = f32x4.add(sums, v128.load(x));
  if (rest > 0) sums = f32x4.add(sums, loadFirst(x, rest, f32x4.splat(0)));
  return laneSum(sums) / width;
}

/** 1 / √(variance + ε). */
// @ts-ignore: decorators are AssemblyScript's
@inline
function inverseDeviation(x: usize, bulk: usize, rest: i32, width: f32, mean: v128, epsilon: f32): f32 {
  let sums = f32x4.splat(0);
  let second = sums;
  let third = sums;
  let fourth = sums;
  const end = x + bulk;
  for (; x + 64 <= end; x += 64) {
    const a = f32x4.sub(v128.load(x), mean);
    sums = madd(a, a, sums);
    const b = f32x4.sub(v128.load(x, 16), mean);
    second = madd(b, b, second);
    const c = f32x4.sub(v128.load(x, 32), mean);
    third = madd(c, c, third);
    const d = f32x4.sub(v128.load(x, 48), mean);
    fourth = madd(d, d, fourth);
  }
  sums = f32x4.add(f32x4.add(sums, second), f32x4.add(third, fourth));
  for (; x < end; x += 16) {
    const centred = f32x4.sub(v128.load(x), mean);
    sums = madd(centred, centred, sums);
  }
  if (rest > 0) {
    const centred = v128.and(f32x4.sub(v128.load(x), mean), firstLanes(rest));
    sums = madd(centred, centred, sums);
  }
  return 1 / sqrt<f32>(laneSum(sums) / width + epsilon);
}

/** gain·(x − mean)/√(variance + epsilon) + bias of the rows `from` to `to` of `width`. */
export function layerNorm(
  from: i32,
  to: i32,
  x: usize,
  gain: usize,
  bias: usize,
  out: usize,
  width: i32,
  epsilon: f32,
): void {
  const rowBytes = (<usize>width) << 2;
  const bulk = (<usize>(width & ~3)) << 2;
  const rest = width & 3;
  const size = <f32>width;
  x += <usize>from * rowBytes;
  out += <usize>from * rowBytes;
  for (let row = from; row < to; row++, x += rowBytes, out += rowBytes) {
    const mean = f32x4.splat(rowMean(x, bulk, rest, size));
    const scale = f32x4.splat(inverseDeviation(x, bulk, rest, size, mean, epsilon));
    let at: usize = 0;
    for (; at < bulk; at += 16) {
      const normalized = f32x4.mul(f32x4.sub(v128.load(x + at), mean), scale);
      v128.store(out + at, madd(normalized, v128.load(gain + at), v128.load(bias + at)));
    }
    if (rest > 0) {
      const normalized = f32x4.mul(f32x4.sub(v128.load(x + at), mean), scale);
      storeFirst(out + at, madd(normalized, v128.load(gain + at), v128.load(bias + at)), rest);
    }
  }
}

/** Rows whose contributions to the gradients of gain and bias are added up in float32, before float64 takes them. */
const GROUP: i32 = 32;

/** Adds `width` float32 sums to float64 ones, and clears them; 4 at a time. */
function flush(sums: usize, totals: usize, width: i32): void {
  for (let j = 0; j < width; j += 4, sums += 16, totals += 32) {
    const value = v128.load(sums);
    const high = i32x4.shuffle(value, value, 2, 3, 2, 3);
    v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(value)));
    v128.store(totals, f64x2.add(v128.load(totals, 16), f64x2.promote_low_f32x4(high)), 16);
    v128.store(sums, f32x4.splat(0));
  }
}

/**
 * The gradient for x into `out`, of the parts `from` to `to` of 256 rows, and each part's sums for gain and bias, as
 * float64.
 *
 * @param totals room for 2 float64 sums a column, the columns counted in fours, for each part: gain, then bias
 * @param scratch room for 2 floats a column, likewise
 */
export function layerNormGradient(
  from: i32,
  to: i32,
  x: usize,
  gain: usize,
  dy: usize,
  out: usize,
  totals: usize,
  scratch: usize,
  rows: i32,
  width: i32,
  epsilon: f32,
): void {
  const padded = <usize>((width + 3) & ~3);
  const partBytes = <usize>normPartRows * ((<usize>width) << 2);
  for (let part = from; part < to; part++) {
    const at = <usize>part * partBytes;
    layerNormGradientPart(
      x + at,
      gain,
      dy + at,
      out + at,
      totals + <usize>part * 16 * padded,
      scratch + <usize>part * 8 * padded,
      min(normPartRows, rows - part * normPartRows),
      width,
      epsilon,
    );
  }
}

function layerNormGradientPart(
  x: usize,
  gain: usize,
  dy: usize,
  out: usize,
  gainTotals: usize,
  scratch: usize,
  rows: i32,
  width: i32,
  epsilon: f32,
): void {
  const rowBytes = (<usize>width) << 2;
  const bulk = (<usize>(width & ~3)) << 2;
  const rest = width & 3;
  const size = <f32>width;
  const paddedBytes = (<usize>((width + 3) & ~3)) << 2;
  const gainSums = scratch;
  const biasSums = gainSums + paddedBytes;
  const biasTotals = gainTotals + 2 * paddedBytes;
  memory.fill(gainTotals, 0, 4 * paddedBytes);
  memory.fill(scratch, 0, 2 * paddedBytes);
  for (let row = 0; row < rows; row++, x += rowBytes, dy += rowBytes, out += rowBytes) {
    const mean = f32x4.splat(rowMean(x, bulk, rest, size));
    const scale = f32x4.splat(inverseDeviation(x, bulk, rest, size, mean, epsilon));
    let scaledSums = f32x4.splat(0);
    let innerSums = f32x4.splat(0);
    let otherScaled = scaledSums;
    let otherInner = scaledSums;
    let start: usize = 0;
    for (; start + 32 <= bulk; start += 32) {
      const upstream0 = v128.load(dy + start);
      const upstream1 = v128.load(dy + start, 16);
      const normalized0 = f32x4.mul(f32x4.sub(v128.load(x + start), mean), scale);
      const normalized1 = f32x4.mul(f32x4.sub(v128.load(x + start, 16), mean), scale);
      const gains = gainSums + start;
      const biases = biasSums + start;
      v128.store(gains, madd(upstream0, normalized0, v128.load(gains)));
      v128.store(gains, madd(upstream1, normalized1, v128.load(gains, 16)), 16);
      v128.store(biases, f32x4.add(v128.load(biases), upstream0));
      v128.store(biases, f32x4.add(v128.load(biases, 16), upstream1), 16);
      const scaled0 = f32x4.mul(upstream0, v128.load(gain + start));
      const scaled1 = f32x4.mul(upstream1, v128.load(gain + start, 16));
      scaledSums = f32x4.add(scaledSums, scaled0);
      otherScaled = f32x4.add(otherScaled, scaled1);
      innerSums = madd(scaled0, normalized0, innerSums);
      otherInner = madd(scaled1, normalized1, otherInner);
    }
    scaledSums = f32x4.add(scaledSums, otherScaled);
    innerSums = f32x4.add(innerSums, otherInner);
    for (let at = start; at < rowBytes; at += 16) {
      let upstream = v128.load(dy + at);
      let normalized = f32x4.mul(f32x4.sub(v128.load(x + at), mean), scale);
      let gains = v128.load(gain + at);
      if (at == bulk) {
        const mask = firstLanes(rest);
        upstream = v128.and(upstream, mask);
        normalized = v128.and(normalized, mask);
        gains = v128.and(gains, mask);
      }
      v128.store(gainSums + at, madd(upstream, normalized, v128.load(gainSums + at)));
      v128.store(biasSums + at, f32x4.add(v128.load(biasSums + at), upstream));
      const scaled = f32x4.mul(upstream, gains);
      scaledSums = f32x4.add(scaledSums, scaled);
      innerSums = madd(scaled, normalized, innerSums);
    }
    const meanScaled = f32x4.splat(laneSum(scaledSums) / size);
    const meanInner = f32x4.splat(laneSum(innerSums) / size);
    for (let at: usize = 0; at < rowBytes; at += 16) {
      const normalized = f32x4.mul(f32x4.sub(v128.load(x + at), mean), scale);
      const scaled = f32x4.mul(v128.load(dy + at), v128.load(gain + at));
      const centred = f32x4.sub(f32x4.sub(scaled, meanScaled), f32x4.mul(normalized, meanInner));
      if (at == bulk) storeFirst(out + at, f32x4.mul(centred, scale), rest);
      else v128.store(out + at, f32x4.mul(centred, scale));
    }
    if (row % GROUP == GROUP - 1) {
      flush(gainSums, gainTotals, width);
      flush(biasSums, biasTotals, width);
    }
  }
  flush(gainSums, gainTotals, width);
  flush(biasSums, biasTotals, width);
}
