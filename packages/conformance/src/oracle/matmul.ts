import { sizeOf } from '@lmd/core';
import { result, type Values } from '../values.js';

/** [..., m, k] · [..., k, n], leading axes equal or one operand of rank 2 (or of batch 1) shared by all. */
export function matmul(a: Values, b: Values, transposeA = false, transposeB = false): Values {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const n = transposeB ? bRows : bColumns;
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  const batch = aBatch.length >= bBatch.length && sizeOf(aBatch) >= sizeOf(bBatch) ? aBatch : bBatch;
  const shape = [...batch, m, n];
  const data = new Float64Array(sizeOf(shape));
  const magnitudes = new Float64Array(data.length);
  const [aRow, aTerm] = transposeA ? [1, m] : [k, 1];
  const [bTerm, bColumn] = transposeB ? [1, k] : [n, 1];
  for (let item = 0, position = 0; item < sizeOf(batch); item++) {
    const aStart = sizeOf(aBatch) === 1 ? 0 : item * m * k;
    const bStart = sizeOf(bBatch) === 1 ? 0 : item * k * n;
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++, position++) {
        for (let i = 0; i < k; i++) {
          const product = a.data[aStart + row * aRow + i * aTerm]! * b.data[bStart + i * bTerm + column * bColumn]!;
          data[position]! += product;
          magnitudes[position]! += Math.abs(product);
        }
      }
    }
  }
  return result(shape, data, magnitudes, k);
}
