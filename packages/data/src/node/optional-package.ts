import { LmdError } from '@lmd/core';

/**
 * Imports a package that the application may not have, by a name that bundlers do not look into. Failures within it
 * pass unchanged.
 *
 * @param use what it is for and what to do in its place, after the command that installs it.
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
