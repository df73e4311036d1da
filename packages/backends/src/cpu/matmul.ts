import { sizeOf, type Tensor } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';

/** The rows and columns of a part are multiples of the tile that stays in registers; see `assembly/matmul.ts`. */
const tileRows = 6;
const tileColumns = 8;
/** About the products of two numbers that one thread adds up in a nanosecond. */
const productsPerNanosecond = 22;
/** Parts for each thread where a single product is cut: each packs one of the operands again. */
const partsEach = 2;

interface Parts {
  readonly rows: number;
  readonly columns: number;
}

/**
 * How a product of `batch` matrices is cut for several threads. Whole matrices where there are enough; else the longer side of the
 * results, since the operand that belongs to the shorter one is packed again for each part.
 */
export function partsOf(batch: number, m: number, n: number, threads: number): Parts {
  const wanted = Math.ceil((partsEach * threads) / batch);
  if (threads === 1 || wanted < 2) return { rows: m, columns: n };
  if (m >= n) return { rows: wholeTiles(m / wanted, tileRows), columns: n };
  return { rows: m, columns: wholeTiles(n / wanted, tileColumns) };
}

function wholeTiles(size: number, tile: number): number {
  return Math.ceil(size / tile) * tile;
}

export function matmul(host: MemoryHost, a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const { run, multiply, address } = host;
  const batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
  const k = a.shape[transposeA ? 1 : 2]!;
  const m = a.shape[transposeA ? 2 : 1]!;
  const n = b.shape[transposeB ? 1 : 2]!;
  return host.make([batch, m, n], 'f32', (out) => {
    if (sizeOf(out.shape) === 0) return;
    if (k === 0) {
      host.floats(out).fill(0);
      return;
    }
    // A right operand that all share makes the batch more rows of one product, unless each left operand is turned.
    const joined = b.shape[0] === 1 && !transposeA;
    const batches = joined ? 1 : batch;
    const rows = joined ? m * batch : m;
    const batchA = joined ? 1 : a.shape[0]!;
    const product = { batch: batches, rows, terms: k, columns: n, transposeA, transposeB, batchA, batchB: b.shape[0]! };
    if (multiply(product, { a: address(a), b: address(b), out: address(out) })) return;
    const time = (batches * rows * k * n) / productsPerNanosecond;
    const parts = partsOf(batches, rows, n, host.worthwhile(time) ? host.threads : 1);
    const total = batches * Math.ceil(rows / parts.rows) * Math.ceil(n / parts.columns);
    run(
      'matmul',
      { total, cost: time / total },
      address(a),
      address(b),
      address(out),
      rows,
      k,
      n,
      transposeA,
      transposeB,
      a.shape[0] === 1 ? 0 : m * k,
      b.shape[0] === 1 ? 0 : k * n,
      parts.rows,
      parts.columns,
    );
  });
}
