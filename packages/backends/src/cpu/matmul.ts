import { type FloatTensor, sizeOf, type Tensor } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';
import { matmulTileColumns, matmulTileRows } from './wasm/numbers.js';

/**
 * The rows and columns of a part are multiples of the tiles that stay in registers, ours and those of `@lmd/native`: 12
 * × 32, 4 × 24 and 8 × 12.
 */
const tileRows = 4 * matmulTileRows;
const tileColumns = 12 * matmulTileColumns;
/** About the products of two numbers that one thread adds up in a nanosecond, in WebAssembly and in native code. */
const productsPerNanosecond = { wasm: 22, native: 60 };
/** Parts for each thread where a single product is cut: each packs one of the operands again. */
const partsEach = 2;

/** `batch` products of [rows, terms] and [terms, columns], as they lie in memory: matrices stored by rows. */
interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly terms: number;
  readonly columns: number;
  /** Stored as [terms, rows], or [columns, terms]. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** How many matrices there are: `batch`, or 1 that all share. */
  readonly batchA: number;
  readonly batchB: number;
}

/** Where a product's operands and its result begin, in bytes. */
interface Addresses {
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

interface Parts {
  readonly rows: number;
  readonly columns: number;
}

/**
 * How a product of `batch` matrices is cut for several threads. Whole matrices where there are enough; else the longer
 * side of the results, since the operand that belongs to the shorter one is packed again for each part.
 */
export function partsOf(batch: number, m: number, n: number, threads: number, rowsOfTile = tileRows): Parts {
  const wanted = Math.ceil((partsEach * threads) / batch);
  if (threads === 1 || wanted < 2) return { rows: m, columns: n };
  if (m >= n) return { rows: wholeTiles(m / wanted, rowsOfTile), columns: n };
  return { rows: m, columns: wholeTiles(n / wanted, tileColumns) };
}

function wholeTiles(size: number, tile: number): number {
  return Math.ceil(size / tile) * tile;
}

export function matmul(
  host: MemoryHost,
  a: FloatTensor,
  b: FloatTensor,
  transposeA: boolean,
  transposeB: boolean,
): FloatTensor {
  const product = productOf(a, b, transposeA, transposeB);
  const out = host.allocate(
    [a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!, a.shape[transposeA ? 2 : 1]!, product.columns],
    'f32',
  );
  if (sizeOf(out.shape) === 0) return out;
  if (product.terms === 0) host.floats(out).fill(0);
  else multiply(host, product, { a: host.address(a), b: host.address(b), out: host.address(out) });
  return out;
}

function productOf(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Product {
  const [batchA, batchB] = [a.shape[0]!, b.shape[0]!];
  const flags = { transposeA, transposeB, batchB };
  const [rows, terms] = transposeA ? [a.shape[2]!, a.shape[1]!] : [a.shape[1]!, a.shape[2]!];
  const columns = b.shape[transposeB ? 1 : 2]!;
  // A right operand that all share makes the batch more rows of one product, unless each left operand is turned.
  if (batchB === 1 && !transposeA) return { ...flags, batch: 1, rows: rows * batchA, terms, columns, batchA: 1 };
  return { ...flags, batch: batchA === 1 ? batchB : batchA, rows, terms, columns, batchA };
}

function multiply(host: MemoryHost, product: Product, at: Addresses): void {
  const { batch, rows, terms, columns, transposeA, transposeB, batchA, batchB } = product;
  const time = (batch * rows * terms * columns) / productsPerNanosecond[host.native === undefined ? 'wasm' : 'native'];
  const parts = partsOf(batch, rows, columns, host.worthwhile(time) ? host.threads : 1);
  const total = batch * Math.ceil(rows / parts.rows) * Math.ceil(columns / parts.columns);
  host.run(
    'matmul',
    { total, cost: time / total },
    {
      ...at,
      m: rows,
      k: terms,
      n: columns,
      transposeA,
      transposeB,
      strideA: batchA === 1 ? 0 : rows * terms,
      strideB: batchB === 1 ? 0 : terms * columns,
      partRows: parts.rows,
      partColumns: parts.columns,
    },
  );
}
