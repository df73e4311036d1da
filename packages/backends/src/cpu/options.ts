import { LmdError } from '@lmd/core';
import type { ProductsEngine } from './products/engine.js';
import { defaultThreads } from './threads/platform.js';
import { defaultThreshold } from './threads/split.js';
import type { Arithmetic } from './wasm/instance.js';

export interface CpuBackendOptions {
  /**
   * `'strict'` gives the same bits on every machine; `'fused'` rounds a·b + c once and is a fifth faster, where the engine has relaxed
   * SIMD (Node 22 and later). Default: fused where there is, strict elsewhere; `device` says which.
   */
  readonly arithmetic?: Arithmetic;
  /**
   * How many threads compute, the calling one included, 1 to 64. Our own kernels give the same bits with any number. Default: as many as
   * there are processors, up to 8; 1 where there are no worker threads, as in a browser or under Node's permission model without
   * `--allow-worker`. Beside onnxruntime on Node 20, whose native code gets no shared memory, it is onnxruntime that has so many, and
   * everything else is computed by one.
   */
  readonly threads?: number;
  /**
   * Microseconds of work from which an operation is shared among threads; an estimate from its shape. Default 20: for less, waking a
   * thread costs more than it saves. The least product that another engine is given grows and shrinks with it.
   */
  readonly parallelThreshold?: number;
  /** Bytes for tensors, at most 4 GiB less what the kernels need. Default: that. */
  readonly memoryLimit?: number;
  /**
   * Whose matrix products. `'wasm'` (default): our own kernels, which need nothing else. `'onnxruntime'`: the package `onnxruntime-node`,
   * an optional peer, for all but small products; two to three times as fast where the processor has wide vectors. The same shapes give the
   * same bits from run to run then, while another processor, version or number of threads may change last ones. A list means the first
   * that works; nothing else falls back. `device` says which it is.
   */
  readonly products?: ProductsEngine | readonly ProductsEngine[];
  /**
   * The native kernels of `@lmd/native`, which give the bits of those in WebAssembly with fused multiply-add. `'auto'` (default): where
   * they work on this platform and processor. `'require'`: an error where they do not. `'off'`: WebAssembly alone. `device` says which.
   */
  readonly native?: NativeChoice;
  /** The folder of the package `onnxruntime-node`. Default: where Node finds it by its name. */
  readonly onnxruntime?: string;
}

export type NativeChoice = 'auto' | 'require' | 'off';

/** Options with defaults filled in. */
export interface CheckedOptions extends CpuBackendOptions {
  readonly native: NativeChoice;
  readonly threads: number;
  readonly parallelThreshold: number;
  readonly products: readonly ProductsEngine[];
}

/** WebAssembly memory with 32-bit addresses ends here; the last page stays unused, so that no end wraps to 0. */
export const addressLimit = 2 ** 32 - 65_536;

const mostThreads = 64;

const nativeChoices: readonly unknown[] = ['auto', 'require', 'off'] satisfies NativeChoice[];

const productsEngines: readonly unknown[] = ['wasm', 'onnxruntime'] satisfies ProductsEngine[];

const remedies: Readonly<Record<keyof CpuBackendOptions, string>> = {
  arithmetic: "Use 'strict' or 'fused', or leave it out.",
  threads: `Give a whole number from 1 to ${mostThreads}, or leave it out.`,
  parallelThreshold: 'Give a number of microseconds, 0 or more, or leave it out.',
  memoryLimit: `Give a number of bytes from 65536 to ${addressLimit}, or leave it out.`,
  products: "Use 'wasm', 'onnxruntime', or a list of them, such as ['onnxruntime', 'wasm'] for the first that works.",
  native: "Use 'auto', 'require' or 'off', or leave it out.",
  onnxruntime: 'Give the folder of the package onnxruntime-node, or leave it out.',
};

/** Refuses unknown options by name, and values that mean nothing. */
export function checkedOptions(options: CpuBackendOptions): CheckedOptions {
  for (const name of Object.keys(options)) {
    if (!(name in remedies)) {
      throw new LmdError('UNKNOWN_OPTION', `createCpuBackend has no option "${name}".`, {
        subject: name,
        value: options[name as keyof CpuBackendOptions],
        remedy: `Its options are ${Object.keys(remedies).join(', ')}.`,
      });
    }
  }
  const { arithmetic, threads = defaultThreads(), parallelThreshold = defaultThreshold, memoryLimit } = options;
  if (arithmetic !== undefined && arithmetic !== 'strict' && arithmetic !== 'fused') {
    throw invalid('arithmetic', arithmetic);
  }
  if (memoryLimit !== undefined && !(memoryLimit >= 65_536 && memoryLimit <= addressLimit)) {
    throw invalid('memoryLimit', memoryLimit);
  }
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= mostThreads)) {
    throw invalid('threads', threads);
  }
  if (!(parallelThreshold >= 0)) throw invalid('parallelThreshold', parallelThreshold);
  const { products = 'wasm', onnxruntime, native = 'auto' } = options;
  if (!nativeChoices.includes(native)) throw invalid('native', native);
  const wanted = (Array.isArray as (value: unknown) => value is readonly ProductsEngine[])(products)
    ? products
    : [products];
  if (wanted.length === 0 || wanted.some((engine) => !productsEngines.includes(engine))) {
    throw invalid('products', products);
  }
  if (onnxruntime !== undefined && (typeof onnxruntime !== 'string' || onnxruntime === '')) {
    throw invalid('onnxruntime', onnxruntime);
  }
  return { ...options, threads, parallelThreshold, products: wanted, native };
}

function invalid(subject: keyof CpuBackendOptions, value: unknown): LmdError {
  return new LmdError('INVALID_ARGUMENT', `createCpuBackend: ${subject} is ${JSON.stringify(value)}.`, {
    subject,
    value,
    remedy: remedies[subject],
  });
}
