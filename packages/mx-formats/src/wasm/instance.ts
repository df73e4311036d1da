import { bytesOfHex } from './bytes-of-hex.js';
import type { WasmExports } from './kernels.generated.js';
import { wasmHex } from './module.generated.js';
import { infinityBits, magnitudeMask } from './numbers.js';

/**
 * The part of the WebAssembly API that is used here: TypeScript declares it only together with the DOM
 * library.
 */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** Values that fit at once. */
export const capacity = 1 << 18;

// A run of random words begins at a multiple of 4 elements and ends at one of 16.
const spare = 128;
const floatBytes = capacity * 4 + spare;
const codeBytes = capacity + spare;

/** Addresses in the module's memory, in bytes. */
export const addresses = {
  source: 1024,
  target: 1024 + floatBytes,
  words: 1024 + 2 * floatBytes,
  codes: 1024 + 3 * floatBytes,
  packed: 1024 + 3 * floatBytes + codeBytes,
  scales: 1024 + 3 * floatBytes + 2 * codeBytes,
  table: 1024 + 3 * floatBytes + 3 * codeBytes,
  scaleTable: 2048 + 3 * floatBytes + 3 * codeBytes,
} as const;

/** The module and views of its memory, which never grows. */
export interface WasmInstance {
  readonly exports: WasmExports;
  readonly floats: Float32Array;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

/** Enough for all of `addresses`. */
const pages = 80;

/** The kernels as a WebAssembly module, which imports its memory as `env.memory`, and has no data of its own in it. */
export function kernelModule(): Uint8Array<ArrayBuffer> {
  return bytesOfHex(wasmHex);
}

let instance: WasmInstance | undefined | null = null;

/**
 * The kernels, compiled at the first call; `undefined` where there is no WebAssembly SIMD or it may not be compiled.
 */
export function wasmInstance(): WasmInstance | undefined {
  if (instance === null) instance = instantiate();
  return instance;
}

function instantiate(): WasmInstance | undefined {
  try {
    const module = new WebAssembly.Module(kernelModule());
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as WasmExports;
    exports.initialize(64);
    exports.configureWords(magnitudeMask, infinityBits);
    const { buffer } = memory;
    return { exports, floats: new Float32Array(buffer), words: new Int32Array(buffer), bytes: new Uint8Array(buffer) };
  } catch {
    // An engine without SIMD, or a page whose policy forbids compiling: the plain kernels give the same bits.
    return undefined;
  }
}
