import { LmdError, refuseUnknownOptions } from '@lmd/core';
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
   * `--allow-worker`.
   */
  readonly threads?: number;
  /**
   * Microseconds of work from which an operation is shared among threads; an estimate from its shape. Default 20: for less, waking a
   * thread costs more than it saves.
   */
  readonly parallelThreshold?: number;
  /** Bytes for tensors, at most 4 GiB less what the kernels need. Default: that. */
  readonly memoryLimit?: number;
  /**
   * The native kernels of `@lmd/native`, which give the bits of those in WebAssembly with fused multiply-add. `'auto'` (default): where
   * they work on this platform and processor. `'require'`: an error where they do not. `'off'`: WebAssembly alone. `device` says which.
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

/** WebAssembly memory with 32-bit addresses ends here; the last page stays unused, so that no end wraps to 0. */
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
