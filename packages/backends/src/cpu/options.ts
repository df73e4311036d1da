import { type OptionsOf, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import { defaultThreads } from './threads/platform.js';
import { defaultThreshold } from './threads/split.js';

/** End of a WebAssembly memory with 32-bit addresses, without the last page, so that no end address overflows to 0. */
export const addressLimit = 2 ** 32 - 65_536;

/** The options of `createCpuBackend`, declared once. */
export const cpuBackendOptionTable = {
  /**
   * `strict`: bit-identical on every machine. `fused`: fused multiply-add, about a fifth faster; requires relaxed SIMD
   * (Node 22 and later). Default: `fused` if available; `device` reports which. `strict` or `fused`.
   */
  arithmetic: option.choice(['strict', 'fused'], {
    describe:
      '`strict`: bit-identical on every machine. `fused`: fused multiply-add, about a fifth faster; requires relaxed ' +
      'SIMD (Node 22 and later). Default: `fused` if available; `device` reports which.',
  }),
  /**
   * Number of threads, including the calling one. The results are bit-identical for any number. Default: the number of
   * processors, up to 8; 1 if there are no worker threads, as in a browser or under Node's permission model without
   * `--allow-worker`. A whole number, at least 1 and at most 64.
   */
  threads: option.integer({
    atLeast: 1,
    atMost: 64,
    describe:
      'Number of threads, including the calling one. The results are bit-identical for any number. Default: the ' +
      "number of processors, up to 8; 1 if there are no worker threads, as in a browser or under Node's permission " +
      'model without `--allow-worker`.',
  }),
  /**
   * Estimated work, in microseconds, above which an operation is split among threads; below the default, waking a
   * thread costs more than it saves. At least 0; default 20.
   */
  parallelThreshold: option.number({
    atLeast: 0,
    default: defaultThreshold,
    describe:
      'Estimated work, in microseconds, above which an operation is split among threads; below the default, waking a ' +
      'thread costs more than it saves.',
  }),
  /**
   * Maximum number of bytes of all tensors. Default: 4 GiB minus the memory of the kernels. At least 65536 and at most
   * 4294901760.
   */
  memoryLimit: option.number({
    atLeast: 65_536,
    atMost: addressLimit,
    describe: 'Maximum number of bytes of all tensors. Default: 4 GiB minus the memory of the kernels.',
  }),
  /**
   * Native kernels of `@lmd/native`, bit-identical to WebAssembly with fused multiply-add: `auto` uses them where they
   * work, `require` throws where they do not, `off` never uses them. `device` says which. `auto`, `require` or `off`;
   * default `auto`.
   */
  native: option.choice(['auto', 'require', 'off'], {
    default: 'auto',
    describe:
      'Native kernels of `@lmd/native`, bit-identical to WebAssembly with fused multiply-add: `auto` uses them where ' +
      'they work, `require` throws where they do not, `off` never uses them. `device` says which.',
  }),
} as const satisfies OptionTable;

export interface CpuBackendOptions extends OptionsOf<typeof cpuBackendOptionTable> {}

export type NativeChoice = NonNullable<CpuBackendOptions['native']>;

/** Options with defaults filled in. */
export type CheckedOptions = ResolvedOptions<typeof cpuBackendOptionTable> & { readonly threads: number };

export function checkedOptions(options: CpuBackendOptions): CheckedOptions {
  const { threads = defaultThreads(), ...rest } = resolveOptions('createCpuBackend', cpuBackendOptionTable, options);
  return { ...rest, threads };
}
