import { stridedCopy } from './strided.js';

export interface MatmulOperand {
  readonly values: Float32Array;
  /** [batch, rows, columns] as stored. */
  readonly shape: readonly number[];
  /** Whether the last two axes are to be exchanged. */
  readonly transpose: boolean;
}

/**
 * [batch, m, k] · [batch, k, n] → `out` [batch, m, n]; a batch of 1 is shared. Products are summed in float64 in blocks
 * of 4 × 2 results held in registers, over copies of the operands that both run along k.
 */
export function matmul(a: MatmulOperand, b: MatmulOperand, out: Float32Array): void {
  const [batchA, m, k] = logicalShape(a);
  const [batchB, , n] = logicalShape(b);
  if (out.length === 0) return;
  const batch = Math.max(batchA, batchB);
  const left = alongInner(a.values, batchA, m, k, a.transpose);
  const right = alongInner(b.values, batchB, n, k, !b.transpose);
  for (let index = 0; index < batch; index++) {
    const leftStart = batchA === 1 ? 0 : index * m * k;
    const rightStart = batchB === 1 ? 0 : index * n * k;
    multiply(left, leftStart, right, rightStart, out, index * m * n, m, n, k);
  }
}

function logicalShape({ shape, transpose }: MatmulOperand): [number, number, number] {
  const [batch, rows, columns] = shape as [number, number, number];
  return transpose ? [batch, columns, rows] : [batch, rows, columns];
}

/** Rows of `inner` values; `exchanged` says that they are stored as columns. */
function alongInner(values: Float32Array, batch: number, rows: number, inner: number, exchanged: boolean) {
  if (!exchanged) return values;
  const turned = new Float32Array(values.length);
  const extents = [batch, rows, inner];
  stridedCopy(extents, values, [rows * inner, 1, rows], 0, turned, [rows * inner, inner, 1], 0);
  return turned;
}

function multiply(
  a: Float32Array,
  startA: number,
  b: Float32Array,
  startB: number,
  out: Float32Array,
  startOut: number,
  m: number,
  n: number,
  k: number,
): void {
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    const a0 = startA + i * k;
    const a1 = a0 + k;
    const a2 = a1 + k;
    const a3 = a2 + k;
    const o0 = startOut + i * n;
    let j = 0;
    for (; j + 2 <= n; j += 2) {
      const b0 = startB + j * k;
      const b1 = b0 + k;
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      let s20 = 0;
      let s21 = 0;
      let s30 = 0;
      let s31 = 0;
      for (let l = 0; l < k; l++) {
        const right0 = b[b0 + l]!;
        const right1 = b[b1 + l]!;
        const left0 = a[a0 + l]!;
        const left1 = a[a1 + l]!;
        const left2 = a[a2 + l]!;
        const left3 = a[a3 + l]!;
        s00 += left0 * right0;
        s01 += left0 * right1;
        s10 += left1 * right0;
        s11 += left1 * right1;
        s20 += left2 * right0;
        s21 += left2 * right1;
        s30 += left3 * right0;
        s31 += left3 * right1;
      }
      out[o0 + j] = s00;
      out[o0 + j + 1] = s01;
      out[o0 + n + j] = s10;
      out[o0 + n + j + 1] = s11;
      out[o0 + 2 * n + j] = s20;
      out[o0 + 2 * n + j + 1] = s21;
      out[o0 + 3 * n + j] = s30;
      out[o0 + 3 * n + j + 1] = s31;
    }
    for (; j < n; j++) {
      for (let row = 0; row < 4; row++) {
        out[o0 + row * n + j] = dot(a, a0 + row * k, b, startB + j * k, k);
      }
    }
  }
  for (; i < m; i++) {
    for (let j = 0; j < n; j++) out[startOut + i * n + j] = dot(a, startA + i * k, b, startB + j * k, k);
  }
}

function dot(a: Float32Array, startA: number, b: Float32Array, startB: number, k: number): number {
  let sum = 0;
  for (let l = 0; l < k; l++) sum += a[startA + l]! * b[startB + l]!;
  return sum;
}
