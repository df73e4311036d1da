import { LmdError } from '@lmd/core';

/**
 * Imports an optional package, by a name that bundlers do not resolve. Errors within the package are rethrown
 * unchanged.
 *
 * @param use purpose and alternative, appended to the install command.
 * @throws LmdError `ENGINE_MISSING` where it is not installed.
 */
export async function loadOptional<T>(name: string, use = ''): Promise<T> {
  try {
    // The name is an argument, not a constant, which a bundler that minifies would put in its place and follow.
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as T;
  } catch (cause) {
    const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    if (!missing || !String(message).includes(`'${name}'`)) throw cause;
    throw new LmdError('ENGINE_MISSING', `The package ${name} is not installed.`, {
      subject: name,
      remedy: `Install it: npm install ${name}${use}`,
      cause,
    });
  }
}
