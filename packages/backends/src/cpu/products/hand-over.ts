import type { WasmMemory } from '../arena.js';
import { defaultThreshold } from '../threads/split.js';
import type { Addresses, Product, ProductEngine } from './engine.js';

/**
 * Multiplications from which a product is handed over. The call takes about 25 µs, in which two threads of our own do two million. For a
 * matrix times a column ours packs the matrix first, so that the call pays much sooner; for a row times a matrix it does not.
 */
const least = { matrices: 3_000_000, column: 250_000 };

/**
 * A product of more rows is cut into slabs of about so many: an engine goes over the results once for every few terms, and they should
 * stay in a cache meanwhile. For 16,384 × 3,072 × 768 that is a third faster.
 */
const slabRows = 2048;
/** A slab does at least so many multiplications, beside which a call is nothing. */
const leastSlab = 50_000_000;

/** Terms from which turning the result costs little beside the product. */
const manyTerms = 2048;
/** Columns from which turning the left operand first costs less than it saves. */
const manyColumns = 1536;

/** Which products go to another engine, and in which pieces. All of it follows from shapes alone, so that a run gives the same bits each time. */
export interface HandedProducts {
  takes(product: Product): boolean;
  /**
   * What to turn for a product aᵀ · b of matrices. `'result'`: bᵀ · a, turned afterwards, is faster where there are more rows than
   * columns, as in the gradient of a matrix that widens: less is read against the grain, and the engine goes over fewer results again and
   * again. `'left'`: a, turned first, since the engine turns it anew for every few columns.
   */
  turns(product: Product): 'result' | 'left' | undefined;
  multiply(product: Product, at: Addresses): void;
  close(): void;
}

/** @param threshold the option `parallelThreshold`, in microseconds */
export function handOver(engine: ProductEngine, memory: WasmMemory, threshold: number): HandedProducts {
  function takes({ batch, rows, terms, columns }: Product): boolean {
    const bound = columns === 1 ? least.column : least.matrices;
    return batch * rows * terms * columns >= (bound * threshold) / defaultThreshold;
  }
  return {
    takes,
    turns(product) {
      const { batch, rows, terms, columns, transposeA } = product;
      if (!transposeA || batch > 1 || !takes(product)) return undefined;
      if (rows > 2 * columns && terms >= manyTerms) return 'result';
      return columns >= manyColumns ? 'left' : undefined;
    },
    multiply(product, at) {
      const { rows, terms, columns } = product;
      const slabs = slabsOf(product);
      for (let slab = 0; slab < slabs; slab++) {
        const first = Math.floor((rows * slab) / slabs);
        const last = Math.floor((rows * (slab + 1)) / slabs);
        const part = { a: at.a + 4 * first * terms, b: at.b, out: at.out + 4 * first * columns };
        engine.multiply(memory, { ...product, rows: last - first }, part);
      }
    },
    close: () => engine.close(),
  };
}

/** How many slabs a product is cut into: rows of a turned operand do not lie together. */
export function slabsOf({ batch, rows, terms, columns, transposeA }: Product): number {
  if (transposeA || batch > 1) return 1;
  return Math.max(1, Math.min(Math.round(rows / slabRows), Math.floor((rows * terms * columns) / leastSlab)));
}
