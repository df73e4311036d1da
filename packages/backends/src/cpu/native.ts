import { LmdError } from '@lmd/core';
import { type Level, loadNative, type Native } from '@lmd/native';
import type { CheckedOptions } from './options.js';

/** The level of the native kernels in use; without any, why. */
export type NativeUse =
  | { readonly level: Level; readonly reason?: undefined }
  | { readonly level?: undefined; readonly reason: string };

/**
 * The native kernels that a backend uses. Plain C without vectors is for tests: WebAssembly is faster.
 *
 * @throws LmdError `ENGINE_MISSING` where they are required and do not work here
 */
export function openNative({ native: choice, arithmetic }: CheckedOptions): {
  readonly kernels: Native | undefined;
  readonly use: NativeUse;
} {
  if (choice === 'off') return { kernels: undefined, use: { reason: "The option native is 'off'." } };
  const { native, reason } = loadNative(arithmetic === undefined ? {} : { arithmetic });
  const failure = native?.level === 'scalar' ? 'This processor has no vector instructions that they use.' : reason;
  if (native !== undefined && failure === undefined) return { kernels: native, use: { level: native.level } };
  if (choice === 'require') {
    throw new LmdError('ENGINE_MISSING', `native is 'require', and there are no native kernels here. ${failure}`, {
      subject: 'native',
      value: choice,
      remedy: "Install @lmd/native with its optional dependencies, or use native: 'auto'.",
    });
  }
  return { kernels: undefined, use: { reason: failure! } };
}
