import { sizeOf } from '@lmd/core';
import type { Values } from '../values.js';
import { broadcastPosition, eachIndex, ravel, unravel } from './layout.js';

/**
 * A result of `shape` whose element at each index is the source's at `from(index)`, or `otherwise` where that is null.
 */
function rearranged(
  x: Values,
  shape: readonly number[],
  from: (index: readonly number[]) => number | null,
  otherwise = 0,
): Values {
  const data = new Float64Array(sizeOf(shape));
  eachIndex(shape, (index, position) => {
    const source = from(index);
    data[position] = source === null ? otherwise : x.data[source]!;
  });
  return { shape, dtype: x.dtype, data };
}

export function transpose(x: Values, permutation: readonly number[]): Values {
  const shape = permutation.map((axis) => x.shape[axis]!);
  return rearranged(x, shape, (index) => {
    const source = new Array<number>(index.length);
    permutation.forEach((axis, i) => {
      source[axis] = index[i]!;
    });
    return ravel(source, x.shape);
  });
}

export function slice(x: Values, begin: readonly number[], size: readonly number[]): Values {
  return rearranged(x, size, (index) =>
    ravel(
      index.map((i, axis) => i + begin[axis]!),
      x.shape,
    ),
  );
}

export function broadcastTo(x: Values, shape: readonly number[]): Values {
  return rearranged(x, shape, (index) => broadcastPosition(index, x.shape));
}

export function pad(x: Values, before: readonly number[], after: readonly number[]): Values {
  const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
  return rearranged(x, shape, (index) => {
    const source = index.map((i, axis) => i - before[axis]!);
    return source.every((i, axis) => i >= 0 && i < x.shape[axis]!) ? ravel(source, x.shape) : null;
  });
}

export function concatenate(xs: readonly Values[], axis: number): Values {
  const first = xs[0]!;
  const shape = first.shape.map((extent, i) => (i === axis ? xs.reduce((n, x) => n + x.shape[axis]!, 0) : extent));
  const data = new Float64Array(sizeOf(shape));
  let start = 0;
  for (const x of xs) {
    x.data.forEach((value, position) => {
      const index = unravel(position, x.shape);
      index[axis]! += start;
      data[ravel(index, shape)] = value;
    });
    start += x.shape[axis]!;
  }
  return { shape, dtype: first.dtype, data };
}

/** Rows of `x` at `indices`; a row of NaN for an index out of range. */
export function gather(x: Values, indices: Values): Values {
  const rest = x.shape.slice(1);
  return rearranged(
    x,
    [...indices.shape, ...rest],
    (index) => {
      const row = indices.data[ravel(index.slice(0, indices.shape.length), indices.shape)]!;
      if (row < 0 || row >= x.shape[0]!) return null;
      return ravel([row, ...index.slice(indices.shape.length)], x.shape);
    },
    Number.NaN,
  );
}

/** Zeros [rows, ...rest] plus the rows of `updates` at their indices; out of range is ignored. */
export function scatterAdd(indices: Values, updates: Values, rows: number): Values {
  const rest = updates.shape.slice(indices.shape.length);
  const width = sizeOf(rest);
  const data = new Float64Array(rows * width);
  const magnitudes = new Float64Array(rows * width);
  indices.data.forEach((row, i) => {
    if (row < 0 || row >= rows) return;
    for (let j = 0; j < width; j++) {
      data[row * width + j]! += updates.data[i * width + j]!;
      magnitudes[row * width + j]! += Math.abs(updates.data[i * width + j]!);
    }
  });
  return { shape: [rows, ...rest], dtype: updates.dtype, data, magnitudes, terms: indices.data.length + 1 };
}
