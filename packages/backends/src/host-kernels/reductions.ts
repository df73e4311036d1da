import { isTypedArray } from '@lmd/core';
import { reductionStrides, stridesOf } from '../strided-offsets.js';
import { coalesce, forEachRow, type HostArray } from './strided.js';

/** Sums over `axes`, in float64 and in index order; `out` has the elements of the reduced shape. */
export function sum(x: HostArray, shape: readonly number[], axes: readonly number[], out: HostArray): void {
  const sums = new Float64Array(out.length);
  if (isTypedArray(x, 'Float32Array') && axes.every((axis, i) => axis === i)) {
    sumLeading(x, sums);
    out.set(sums);
    return;
  }
  reduce(x, shape, axes, (from, to, step, n) => {
    if (step === 0) {
      let total = sums[to]!;
      for (let j = 0; j < n; j++) total += x[from + j]!;
      sums[to] = total;
    } else {
      for (let j = 0; j < n; j++) sums[to + j]! += x[from + j]!;
    }
  });
  out.set(sums);
}

/** Sums over all rows of `sums.length` values, as for the gradient of a bias: four rows for each pass over the sums. */
function sumLeading(x: Float32Array, sums: Float64Array): void {
  const width = sums.length;
  if (width === 0) return;
  let start = 0;
  for (; start + 4 * width <= x.length; start += 4 * width) {
    for (let j = 0, i = start; j < width; j++, i++) {
      sums[j] = sums[j]! + x[i]! + x[i + width]! + x[i + 2 * width]! + x[i + 3 * width]!;
    }
  }
  for (; start < x.length; start += width) {
    for (let j = 0; j < width; j++) sums[j]! += x[start + j]!;
  }
}

/** Maxima over `axes`; NaN where there is one, −Infinity of nothing. */
export function max(x: HostArray, shape: readonly number[], axes: readonly number[], out: HostArray): void {
  const largest = new Float64Array(out.length).fill(-Infinity);
  reduce(x, shape, axes, (from, to, step, n) => {
    if (step === 0) {
      let leader = largest[to]!;
      for (let j = 0; j < n; j++) leader = Math.max(leader, x[from + j]!);
      largest[to] = leader;
    } else {
      for (let j = 0; j < n; j++) largest[to + j] = Math.max(largest[to + j]!, x[from + j]!);
    }
  });
  out.set(largest);
}

function reduce(
  x: HostArray,
  shape: readonly number[],
  axes: readonly number[],
  row: (from: number, to: number, step: number, n: number) => void,
): void {
  if (x.length === 0) return;
  const walk = coalesce({ extents: shape, strides: [stridesOf(shape), reductionStrides(shape, axes)] });
  const n = walk.extents.at(-1)!;
  const step = walk.strides[1]!.at(-1)!;
  forEachRow(walk, (from, to) => row(from, to, step, n));
}

/** Index of the first maximum along `axis`; a NaN counts as the largest, as in `max`. */
export function argMax(x: HostArray, shape: readonly number[], axis: number, out: Int32Array): void {
  const extent = shape[axis]!;
  const inner = stridesOf(shape)[axis]!;
  for (let i = 0; i < out.length; i++) {
    const start = Math.floor(i / inner) * extent * inner + (i % inner);
    let best = 0;
    let leader = x[start]!;
    for (let index = 1; index < extent && !Number.isNaN(leader); index++) {
      const value = x[start + index * inner]!;
      if (value > leader || Number.isNaN(value)) {
        best = index;
        leader = value;
      }
    }
    out[i] = best;
  }
}
