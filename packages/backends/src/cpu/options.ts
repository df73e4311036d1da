import { LmdError, refuseUnknownOptions } from '@lmd/core';
import { defaultThreads } from './threads/platform.js';
import { defaultThreshold } from './threads/split.js';
import type { Arithmetic } from './wasm/instance.js';

export interface CpuBackendOptions {
  /**
   * `'strict'`: bit-identical on every machine. `'fused'`: fused multiply-add, about a fifth faster; requires relaxed
   * SIMD (Node 22 and later). Default: `'fused'` if available; `device` reports which.
   */
  readonly arithmetic?: Arithmetic;
  /**
   * Number of threads, including the calling one, from 1 to 64. The results are bit-identical for any number. Default:
   * the number of processors, up to 8; 1 if there are no worker threads, as in a browser or under Node's permission
   * model without `--allow-worker`.
   */
  readonly threads?: number;
  /**
   * Estimated work, in microseconds, above which an operation is split among threads. Default: 20; below, waking a
   * thread costs more than it saves.
   */
  readonly parallelThreshold?: number;
  /** Maximum number of bytes of all tensors. Default: 4 GiB minus the memory of the kernels. */
  readonly memoryLimit?: number;
  /**
   * Use of the native kernels of `@lmd/native`, which are bit-identical to WebAssembly with fused multiply-add.
   * `'auto'` (default): if they work on this platform and processor. `'require'`: throws if they do not. `'off'`:
   * WebAssembly only. `device` reports which.
   */
  readonly native?: NativeChoice;
}

export type NativeChoice = 'auto' | 'require' | 'off';

/** Options with defaults filled in. */
export interface CheckedOptions extends CpuBackendOptions {
  readonly native: NativeChoice;
  readonly threads: number;
  readonly parallelThreshold: number;
}

/** End of a WebAssembly memory with 32-bit addresses, without the last page, so that no end address overflows to 0. */
export const addressLimit = 2 ** 32 - 65_536;

const mostThreads = 64;

const nativeChoices: readonly unknown[] = ['auto', 'require', 'off'] satisfies NativeChoice[];

const remedies: Readonly<Record<keyof CpuBackendOptions, string>> = {
  arithmetic: "Use 'strict' or 'fused', or leave it out.",
  threads: `Use a whole number from 1 to ${mostThreads}, or leave it out.`,
  parallelThreshold: 'Use a number of microseconds, 0 or more, or leave it out.',
  memoryLimit: `Use a number of bytes from 65536 to ${addressLimit}, or leave it out.`,
  native: "Use 'auto', 'require' or 'off', or leave it out.",
};

/** Refuses unknown options by name, and values that mean nothing. */
export function checkedOptions(options: CpuBackendOptions): CheckedOptions {
  refuseUnknownOptions('createCpuBackend', options, Object.keys(remedies));
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
  const { native = 'auto' } = options;
  if (!nativeChoices.includes(native)) throw invalid('native', native);
  return { ...options, threads, parallelThreshold, native };
}

function invalid(subject: keyof CpuBackendOptions, value: unknown): LmdError {
  return new LmdError('INVALID_ARGUMENT', `createCpuBackend: ${subject} is ${JSON.stringify(value)}.`, {
    subject,
    value,
    remedy: remedies[subject],
  });
}
