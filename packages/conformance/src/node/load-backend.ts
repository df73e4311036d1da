import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Backend,
  checkBackend,
  LmdError,
  messageOf,
  type OptionsOf,
  type OptionTable,
  resolveOptions,
} from '@lmd/core';
import type { CallTrace } from '../traced-backend.js';
import type { BackendModule } from './messages.js';

/** Why no backend can be tested. `usage`: the command line names something that does not exist. */
export class Unusable extends Error {
  constructor(
    message: string,
    readonly usage: boolean,
  ) {
    super(message);
  }
}

/**
 * The address of a module: a path, relative to `folder`, or the name of a package that `folder` can import.
 *
 * @throws LmdError `INVALID_ARGUMENT` if there is none.
 */
export function locateBackend(specifier: string, folder: string): URL {
  const path = resolve(folder, specifier);
  if (existsSync(path)) return pathToFileURL(path);
  if (!/^\.{0,2}[/\\]/.test(specifier)) {
    try {
      return pathToFileURL(createRequire(join(folder, 'package.json')).resolve(specifier));
    } catch {
      // Reported below, together with a path that does not exist.
    }
  }
  throw new LmdError('INVALID_ARGUMENT', `The backend is ${JSON.stringify(specifier)}, which does not exist.`, {
    subject: 'backend',
    value: specifier,
    remedy: 'Give the path of a JavaScript file, such as ./my-backend.js, or the name of an installed package.',
  });
}

/** The first line of what was thrown, and where, if the module itself threw it. */
function reasonOf(thrown: unknown): string {
  const place = thrown instanceof Error ? /\((file:.*?|\/.*?)\)$/m.exec(thrown.stack ?? '')?.[1] : undefined;
  return `${messageOf(thrown).split('\n')[0]!.replace(/\.$/, '')}${place === undefined ? '' : ` (${place})`}`;
}

/**
 * Imports a module. The function that it returns creates and checks a backend of it, a new one at each call.
 *
 * @throws Unusable with one message that names the module and what is wrong; the function does too.
 */
export async function loadBackend(module: BackendModule, trace: CallTrace): Promise<() => Promise<Backend>> {
  const { specifier, exportName, options } = module;
  const address = locateBackend(specifier, process.cwd());
  trace.begin(`the import of ${specifier}`);
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = (await import(address.href)) as typeof exports;
  } catch (thrown) {
    throw new Unusable(`${specifier} cannot be imported: ${reasonOf(thrown)}.`, false);
  }
  const name = exportName ?? (typeof exports.create === 'function' ? 'create' : 'default');
  const create = exports[name];
  if (typeof create !== 'function') {
    const names = Object.keys(exports).join(', ');
    throw new Unusable(
      `${specifier} exports ${names === '' ? 'nothing' : names}, but no function "${exportName ?? 'create'}". ` +
        'Export a function create() that returns the backend, or name yours with --export.',
      true,
    );
  }
  const given = resolvedOptions(specifier, exports.optionTable, options);
  return async () => {
    trace.begin(`${name}(…) of ${specifier}`);
    let backend: Backend;
    try {
      backend = (await create(given, {})) as Backend;
    } catch (thrown) {
      throw new Unusable(`${name} of ${specifier} failed: ${reasonOf(thrown)}.`, false);
    }
    try {
      checkBackend(backend);
    } catch (thrown) {
      const what = backend === undefined ? 'nothing: does it return the backend?' : 'no backend.';
      throw new Unusable(`${name} of ${specifier} returns ${what} ${messageOf(thrown)}`, false);
    }
    trace.end();
    return backend;
  };
}

/** The options, checked by the table of the module if it has one. */
function resolvedOptions(specifier: string, table: unknown, given: object): object {
  if (typeof table !== 'object' || table === null) return given;
  try {
    return resolveOptions('--options', table as OptionTable, given as OptionsOf<OptionTable>);
  } catch (thrown) {
    throw new Unusable(`${specifier}: ${messageOf(thrown)}`, true);
  }
}
