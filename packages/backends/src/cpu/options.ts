import { LmdError } from '@lmd/core';
import type { Arithmetic } from './wasm/instance.js';

export interface CpuBackendOptions {
  /**
   * `'strict'` gives the same bits on every machine; `'fused'` rounds a·b + c once and is a fifth faster, where the engine has relaxed
   * SIMD (Node 22 and later). Default: fused where there is, strict elsewhere; `device` says which.
   */
  readonly arithmetic?: Arithmetic;
  /** Bytes for tensors, at most 4 GiB less what the kernels need. Default: that. */
  readonly memoryLimit?: number;
}

/** WebAssembly memory with 32-bit addresses ends here; the last page stays unused, so that no end wraps to 0. */
export const addressLimit = 2 ** 32 - 65_536;

const remedies: Readonly<Record<keyof CpuBackendOptions, string>> = {
  arithmetic: "Use 'strict' or 'fused', or leave it out.",
  memoryLimit: `Give a number of bytes from 65536 to ${addressLimit}, or leave it out.`,
};

/** Refuses unknown options by name, and values that mean nothing. */
export function checkedOptions(options: CpuBackendOptions): CpuBackendOptions {
  for (const name of Object.keys(options)) {
    if (!(name in remedies)) {
      throw new LmdError('UNKNOWN_OPTION', `createCpuBackend has no option "${name}".`, {
        subject: name,
        value: options[name as keyof CpuBackendOptions],
        remedy: `Its options are ${Object.keys(remedies).join(' and ')}.`,
      });
    }
  }
  const { arithmetic, memoryLimit } = options;
  if (arithmetic !== undefined && arithmetic !== 'strict' && arithmetic !== 'fused') {
    throw invalid('arithmetic', arithmetic);
  }
  if (memoryLimit !== undefined && !(memoryLimit >= 65_536 && memoryLimit <= addressLimit)) {
    throw invalid('memoryLimit', memoryLimit);
  }
  return options;
}

function invalid(subject: keyof CpuBackendOptions, value: unknown): LmdError {
  return new LmdError('INVALID_ARGUMENT', `createCpuBackend: ${subject} is ${JSON.stringify(value)}.`, {
    subject,
    value,
    remedy: remedies[subject],
  });
}
