import { describeValue, MxFormatError } from './errors.js';
import { wasmInstance } from './wasm/instance.js';

/** `wasm`: WebAssembly SIMD. `plain`: TypeScript. Both are bit-identical. */
export type Kernels = 'wasm' | 'plain';

let chosen: Kernels | undefined;

/** Fewer values than this always use the plain kernels, because a call into WebAssembly would be slower. */
export const fewValues = 256;

/** The kernels for large tensors: WebAssembly SIMD if the engine supports it and allows compilation. */
export function kernelsInUse(): Kernels {
  chosen ??= wasmInstance() === undefined ? 'plain' : 'wasm';
  return chosen;
}

/**
 * Selects the kernels for the whole program, for tests and benchmarks; results do not depend on them.
 *
 * @throws MxFormatError `UNSUPPORTED` for `wasm` if the engine does not support it
 */
export function useKernels(kernels: Kernels): void {
  if (kernels !== 'wasm' && kernels !== 'plain') {
    throw new MxFormatError('INVALID_ARGUMENT', `Unknown kernels ${describeValue(kernels)}.`, {
      subject: 'kernels',
      value: kernels,
      remedy: 'Use "wasm" or "plain".',
    });
  }
  if (kernels === 'wasm' && wasmInstance() === undefined) {
    throw new MxFormatError('UNSUPPORTED', 'This engine cannot run the WebAssembly kernels.', {
      subject: 'kernels',
      value: kernels,
      remedy: 'They need WebAssembly SIMD and permission to compile. The plain kernels give the same results.',
    });
  }
  chosen = kernels;
}

/** Whether this number of values is processed by WebAssembly. */
export function throughWasm(count: number): boolean {
  return count >= fewValues && kernelsInUse() === 'wasm';
}
