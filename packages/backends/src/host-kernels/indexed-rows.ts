type RowArray = Float32Array | Int32Array;

/**
 * Copies row `indices[i]` of `x` (rows of `width`) to row i of `out`; an index out of range gives NaN (0 for integers).
 */
export function gatherRows(x: RowArray, rows: number, width: number, indices: Int32Array, out: RowArray): void {
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    if (row >= 0 && row < rows) out.set(x.subarray(row * width, (row + 1) * width), i * width);
    else out.fill(Number.NaN, i * width, (i + 1) * width);
  }
}

/**
 * Adds row i of `updates` to row `indices[i]` of `out`, which starts as zeros; in index order; out of range is ignored.
 */
export function scatterAddRows(
  indices: Int32Array,
  updates: RowArray,
  rows: number,
  width: number,
  out: RowArray,
): void {
  out.fill(0);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    if (row < 0 || row >= rows) continue;
    const target = row * width;
    const source = i * width;
    for (let j = 0; j < width; j++) out[target + j]! += updates[source + j]!;
  }
}
