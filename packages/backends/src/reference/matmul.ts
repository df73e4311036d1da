import { stridedOffsets } from '../strided-offsets.js';
import type { Values } from './storage.js';

/**
 * One operand: its values, its shape [batch, rows, columns] as stored, and whether the last two are to be exchanged.
 */
export interface Operand {
  readonly values: Values;
  readonly shape: readonly number[];
  readonly transpose: boolean;
}

/** [batch, m, k] · [batch, k, n] → [batch, m, n], products and sums in float64; a batch of 1 is shared by all. */
export function matmul(a: Operand, b: Operand): { values: Float64Array; shape: [number, number, number] } {
  const left = asRowMajor(a);
  const right = asRowMajor(b);
  const batch = left.batch === 1 ? right.batch : left.batch;
  const m = left.rows;
  const inner = left.columns;
  const n = right.columns;
  const product = new Float64Array(batch * m * n);
  for (let i = 0; i < batch * m; i++) {
    const index = Math.floor(i / m);
    const leftRow = ((left.batch === 1 ? 0 : index) * m + (i % m)) * inner;
    const rightStart = (right.batch === 1 ? 0 : index) * inner * n;
    const row = product.subarray(i * n, (i + 1) * n);
    // Rows of the right operand are contiguous in this order of loops.
    for (let l = 0; l < inner; l++) {
      const factor = left.values[leftRow + l]!;
      const rightRow = rightStart + l * n;
      for (let j = 0; j < n; j++) row[j]! += factor * right.values[rightRow + j]!;
    }
  }
  return { values: product, shape: [batch, m, n] };
}

function asRowMajor({ values, shape, transpose }: Operand) {
  const [batch, storedRows, storedColumns] = shape as [number, number, number];
  if (!transpose) return { values: new Float64Array(values), batch, rows: storedRows, columns: storedColumns };
  const offsets = stridedOffsets([batch, storedColumns, storedRows], [storedRows * storedColumns, 1, storedColumns]);
  const turned = new Float64Array(values.length);
  for (let i = 0; i < turned.length; i++) turned[i] = values[offsets[i]!]!;
  return { values: turned, batch, rows: storedColumns, columns: storedRows };
}
