import { LmdError } from '@lmd/core';
import type { Sharp, SharpOptions } from 'sharp';
import { loadOptional } from './optional-package.js';

/** @param image its bytes, or the name of its file, with libvips' loading options in brackets. */
export type SharpModule = (image: Uint8Array | string, options: SharpOptions) => Sharp;

const inItsPlace = ', or use another image decoder (option "decoder").';

let loading: Promise<SharpModule> | undefined;

/**
 * The package sharp, which the application installs.
 *
 * @throws LmdError `ENGINE_MISSING` where it is not installed, or has no binary for this machine.
 */
export function loadSharp(): Promise<SharpModule> {
  loading ??= load('sharp');
  // After a failure, the import is retried, since the package may have been installed since.
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

async function load(name: string): Promise<SharpModule> {
  const missing = (message: string, cause?: unknown) =>
    new LmdError('ENGINE_MISSING', message, {
      subject: name,
      remedy: `Install it for this machine: npm install ${name}${inItsPlace}`,
      ...(cause === undefined ? {} : { cause }),
    });
  let module: { readonly default?: unknown };
  try {
    module = await loadOptional<typeof module>(name, inItsPlace);
  } catch (cause) {
    if (cause instanceof LmdError) throw cause;
    throw missing(
      `The package ${name} cannot be loaded: ${
        String((cause as Error)?.message)
          .trim()
          .split('\n')[0]
      }`,
      cause,
    );
  }
  if (typeof module.default === 'function') return module.default as SharpModule;
  throw missing(`The installed package ${name} is not the image library.`);
}
