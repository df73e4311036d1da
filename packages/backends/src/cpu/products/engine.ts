import type { WasmMemory } from '../arena.js';

/** Whose matrix products: our own kernels, or those of the package `onnxruntime-node`. */
export type ProductsEngine = 'wasm' | 'onnxruntime';

/** `batch` products of [rows, terms] and [terms, columns], as they lie in memory: addresses in bytes, matrices stored by rows. */
export interface Product {
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
export interface Addresses {
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

/** Another engine's matrix products on the backend's memory. */
export interface ProductEngine {
  /** Its name and version, for a person to read. */
  readonly label: string;
  readonly threads: number;
  /** Whether it computes on memory that threads share. */
  readonly sharedMemory: boolean;
  /**
   * Writes a product, which has terms and results, and returns when it has run.
   *
   * @throws LmdError `BACKEND_FAILURE` where the engine fails
   */
  multiply(memory: WasmMemory, product: Product, at: Addresses): void;
  close(): void;
}
