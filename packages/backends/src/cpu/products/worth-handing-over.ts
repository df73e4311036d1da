import { defaultThreshold } from '../threads/split.js';
import type { Product } from './engine.js';

/**
 * Multiplications from which a product is handed to another engine. The call takes about 25 µs, in which two threads of our own do two
 * million; a product of a vector is bound by reading the matrix, which ours packs first, so that it pays much sooner.
 */
const least = { matrices: 3_000_000, vector: 250_000 };

/**
 * Whether a product is worth the call of another engine. It depends on the shape alone, so that a run gives the same bits each time.
 *
 * @param threshold the option `parallelThreshold`, in microseconds
 */
export function isWorthHandingOver({ batch, rows, terms, columns }: Product, threshold: number): boolean {
  const bound = rows === 1 || columns === 1 ? least.vector : least.matrices;
  return batch * rows * terms * columns >= (bound * threshold) / defaultThreshold;
}
