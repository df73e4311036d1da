import { isLmdError } from '@lmd/core';
import type { ProductEngine, ProductsEngine } from './engine.js';
import { startOnnxruntime } from './onnxruntime.js';

/**
 * The first engine of a list that works; nothing for our own kernels.
 *
 * @throws LmdError `ENGINE_MISSING` where none does: the last one's error
 */
export async function openProducts(
  wanted: readonly ProductsEngine[],
  threads: number,
  onnxruntime: string | undefined,
): Promise<ProductEngine | undefined> {
  let failure: unknown;
  for (const engine of wanted) {
    if (engine === 'wasm') return undefined;
    try {
      return await startOnnxruntime(threads, onnxruntime);
    } catch (error) {
      if (!isLmdError(error, 'ENGINE_MISSING')) throw error;
      failure = error;
    }
  }
  throw failure;
}
