import { LmdError } from '@lmd/core';
import type { WasmMemory } from '../arena.js';
import type { Kernels } from './kernels.js';
import { wasmBase64 } from './module.generated.js';

/** The little that is used of WebAssembly's own interface, which no library of the compiler's declares without the browser's. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ readonly exports: object }>;
};

/** `fused` rounds a·b + c once, by relaxed SIMD; `strict` rounds twice, and gives the same bits on every machine. */
export type Arithmetic = keyof typeof wasmBase64;

export interface WasmInstance {
  readonly kernels: Kernels;
  readonly memory: WasmMemory;
  readonly arithmetic: Arithmetic;
}

const initialPages = 256;
const largestPages = 65_536;

/**
 * Starts the kernels on a memory of their own.
 *
 * @param wish which arithmetic; the fused one where this engine has it, when absent
 * @throws LmdError `ENGINE_MISSING` where the engine lacks what is asked for
 */
export async function startWasm(wish: Arithmetic | undefined): Promise<WasmInstance> {
  const arithmetic = wish ?? (canRun('fused') ? 'fused' : 'strict');
  if (!canRun(arithmetic)) throw missing(arithmetic);
  const memory = new WebAssembly.Memory({ initial: initialPages, maximum: largestPages });
  const module = await WebAssembly.compile(bytesOf(arithmetic));
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return { kernels: exports as Kernels, memory, arithmetic };
}

function canRun(arithmetic: Arithmetic): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(bytesOf(arithmetic));
}

function bytesOf(arithmetic: Arithmetic): Uint8Array {
  return Uint8Array.from(atob(wasmBase64[arithmetic]), (character) => character.charCodeAt(0));
}

function missing(arithmetic: Arithmetic): LmdError {
  const [lacking, remedy] =
    arithmetic === 'fused'
      ? ['relaxed SIMD', "Use arithmetic: 'strict', or Node 22 or later."]
      : ['SIMD', 'Use Node 20 or later, or @lmd/backends/tfjs.'];
  return new LmdError('ENGINE_MISSING', `This JavaScript engine has no WebAssembly with ${lacking}.`, {
    subject: 'arithmetic',
    value: arithmetic,
    remedy,
  });
}
