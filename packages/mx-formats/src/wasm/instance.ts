import { wasmBase64 } from './module.generated.js';

/** What `assembly/index.ts` exports: addresses are bytes, sizes are elements. */
export interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  configureElement(
    bits: number,
    significantBits: number,
    emin: number,
    emax: number,
    bias: number,
    largestBits: number,
    largestCode: number,
    twosComplement: boolean,
    intUnit: number,
    hasSpecials: boolean,
  ): void;
  configureWords(magnitude: number, exponent: number): void;
  configureBlocks(upAbove: number, rounding: number, blockSize: number, e4m3: boolean, tensorScale: number): void;
  roundRows(source: number, target: number, words: number, rows: number, length: number): void;
  roundColumns(source: number, target: number, words: number, rows: number, width: number): void;
  encodeRows(source: number, codes: number, scales: number, words: number, rows: number, length: number): void;
  encodeColumns(source: number, codes: number, scales: number, words: number, rows: number, width: number): void;
  decodeRows(
    codes: number,
    scales: number,
    target: number,
    table: number,
    scaleTable: number,
    rows: number,
    length: number,
  ): void;
  decodeColumns(
    codes: number,
    scales: number,
    target: number,
    table: number,
    scaleTable: number,
    rows: number,
    width: number,
  ): void;
  packCodes(codes: number, packed: number, bits: number, count: number): void;
  unpackCodes(packed: number, codes: number, bits: number, count: number): void;
  largestFinite(source: number, count: number): number;
  philoxGroups(
    target: number,
    groups: number,
    group: number,
    stream: number,
    step: number,
    sample: number,
    seedLow: number,
    seedHigh: number,
  ): void;
}

/** The little that is used of WebAssembly's own interface, which no library of the compiler's declares without the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** Values that fit at once. */
export const capacity = 1 << 18;

// A run of random words begins at a multiple of 4 elements and ends at one of 16.
const spare = 128;
const floatBytes = capacity * 4 + spare;
const codeBytes = capacity + spare;

/** Where things lie in the module's memory, in bytes. */
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

let instance: WasmInstance | undefined | null = null;

/** The kernels, compiled at the first call; `undefined` where there is no WebAssembly SIMD or it may not be compiled. */
export function wasmInstance(): WasmInstance | undefined {
  if (instance === null) instance = instantiate();
  return instance;
}

function instantiate(): WasmInstance | undefined {
  try {
    const binary = Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0));
    const module = new WebAssembly.Module(binary);
    const exports = new WebAssembly.Instance(module, {}).exports as unknown as WasmExports;
    exports.configureWords(0x7fffffff, 0x7f800000);
    const { buffer } = exports.memory;
    return { exports, floats: new Float32Array(buffer), words: new Int32Array(buffer), bytes: new Uint8Array(buffer) };
  } catch {
    // An engine without SIMD, or a page whose policy forbids compiling: the plain kernels give the same bits.
    return undefined;
  }
}
