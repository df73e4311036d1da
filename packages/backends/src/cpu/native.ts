import { LmdError } from '@lmd/core';
import type { Level, Native, NativeLoad } from '@lmd/native';
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
export async function openNative({ native: choice, arithmetic }: CheckedOptions): Promise<{
  readonly kernels: Native | undefined;
  readonly use: NativeUse;
  /** The level, for the user to read. */
  readonly levelName?: string;
}> {
  if (choice === 'off') return { kernels: undefined, use: { reason: "The option native is 'off'." } };
  const { native, reason, levelName } = await load(arithmetic);
  const failure = native?.level === 'scalar' ? 'This processor has no vector instructions that they use.' : reason;
  if (native !== undefined && failure === undefined) {
    return { kernels: native, use: { level: native.level }, ...(levelName === undefined ? {} : { levelName }) };
  }
  if (choice === 'require') {
    throw new LmdError('ENGINE_MISSING', `native is 'require', and there are no native kernels here. ${failure}`, {
      subject: 'native',
      value: choice,
      remedy: "Install @lmd/native with its optional dependencies, or use native: 'auto'.",
    });
  }
  return { kernels: undefined, use: { reason: failure! } };
}

/** Imports `@lmd/native` only where it can work, so that a page does without its code. */
async function load(arithmetic: CheckedOptions['arithmetic']): Promise<NativeLoad & { readonly levelName?: string }> {
  const { process } = globalThis as { readonly process?: { readonly getBuiltinModule?: unknown } };
  if (process?.getBuiltinModule === undefined) return { reason: 'Native kernels need Node 20.16 or later.' };
  const { levelNames, loadNative } = await import('@lmd/native');
  const loaded = loadNative(arithmetic === undefined ? {} : { arithmetic });
  return loaded.native === undefined ? loaded : { ...loaded, levelName: levelNames[loaded.native.level] };
}
