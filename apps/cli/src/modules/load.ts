import { pathToFileURL } from 'node:url';
import {
  isLmdError,
  LmdError,
  type OptionsOf,
  type OptionTable,
  type ResolvedOptions,
  resolveOptions,
  showValue,
} from '@lmd/core';
import type { ModuleReference } from '../configuration/module-schema.js';
import { UsageError } from '../errors.js';
import { settled } from '../settled.js';

/** What a module of a third party exports, checked. */
export interface LoadedModule {
  /** Empty if the module takes no options. */
  readonly optionTable: OptionTable;
  /** Creates the object: a backend, an optimizer, a model, data or a plugin. */
  create(options: object, context: object): unknown;
  /** Everything it exports. */
  readonly exports: Readonly<Record<string, unknown>>;
}

/** A module in the place of a configuration that names it. */
export interface ModuleUse {
  /** Key of the configuration: `backend`, `optimizers.mine`. */
  readonly key: string;
  readonly reference: ModuleReference;
}

const loaded = new Map<string, LoadedModule>();

/** The module of a path that `loadModule` has loaded. */
export function loadedModule({ key, reference: { module } }: ModuleUse): LoadedModule {
  const found = loaded.get(module);
  if (found !== undefined) return found;
  throw new UsageError('INVALID_ARGUMENT', `${key}: ${module} is not loaded yet.`, {
    subject: key,
    value: module,
    remedy: 'Call resolveConfiguration first, which loads the modules of a configuration.',
  });
}

/** Imports a module once in this process, and checks what it exports. */
export async function loadModule(use: ModuleUse): Promise<LoadedModule> {
  const { module } = use.reference;
  const known = loaded.get(module);
  if (known !== undefined) return known;
  let exports: Readonly<Record<string, unknown>>;
  try {
    const imported = import(/* @vite-ignore */ pathToFileURL(module).href) as Promise<typeof exports>;
    exports = await settled(imported, unfinished, importSeconds);
  } catch (cause) {
    throw refused(use, `cannot be loaded: ${reasonOf(cause)}`, 'Correct the module, or the path.', cause);
  }
  const checked = checkExports(use, exports);
  loaded.set(module, checked);
  return checked;
}

/** A module that has not been imported by then waits for something that does not come. */
const importSeconds = 60;

/** Long enough to download data or to start a device; LMD_MODULE_SECONDS sets another limit. */
const usualCreateSeconds = 600;

function createSeconds(): number {
  const given = Number(process.env.LMD_MODULE_SECONDS);
  return given > 0 ? given : usualCreateSeconds;
}

function unfinished(seconds?: number): Error {
  return new Error(
    seconds === undefined ? 'its promise is never settled' : `its promise is not settled after ${seconds} s`,
  );
}

function checkExports(use: ModuleUse, exports: Readonly<Record<string, unknown>>): LoadedModule {
  // A module of CommonJS exports everything as its default.
  const inner = exports.default;
  const from = typeof inner === 'object' && inner !== null ? { ...inner, ...exports } : exports;
  const { create = inner, optionTable = {} } = from as { readonly create?: unknown; readonly optionTable?: unknown };
  if (typeof create !== 'function') {
    const names = Object.keys(exports).join(', ');
    throw refused(
      use,
      `exports ${names === '' ? 'nothing' : names}, but no function "create"`,
      'Export a function create(options), or make it the default export.',
    );
  }
  checkTable(use, optionTable);
  return { optionTable, create: create as LoadedModule['create'], exports: from };
}

const kinds = ['number', 'integer', 'schedule', 'boolean', 'choice', 'text', 'interval', 'either'];

function checkTable(use: ModuleUse, table: unknown): asserts table is OptionTable {
  const remedy = 'Export optionTable = { name: option.number({ … }) } with `option` of @lmd/core.';
  if (typeof table !== 'object' || table === null || Array.isArray(table)) {
    throw refused(use, `exports optionTable = ${showValue(table)}`, remedy);
  }
  for (const [name, option] of Object.entries(table)) {
    if (typeof option === 'object' && option !== null && kinds.includes((option as { kind: string }).kind)) continue;
    throw refused(
      use,
      `declares optionTable.${name} = ${showValue(option)}`,
      `${remedy} A file can hold the kinds ${kinds.join(', ')}.`,
    );
  }
}

/** The options of the configuration, checked by the module's table, with defaults filled in. */
export function moduleOptions(use: ModuleUse, given: object = use.reference.options): ResolvedOptions<OptionTable> {
  const { optionTable } = loadedModule(use);
  try {
    return resolveOptions('options', optionTable, given as OptionsOf<OptionTable>);
  } catch (cause) {
    throw namingModule(use, cause, 'options');
  }
}

/** Runs code of a module, and names the key of the configuration and the module in what it throws. */
export async function inModule<T>(use: ModuleUse, body: () => T | Promise<T>): Promise<T> {
  try {
    return await settled(Promise.resolve(body()), unfinished, createSeconds());
  } catch (cause) {
    throw namingModule(use, cause);
  }
}

/** As `inModule`, for code that returns at once. */
export function inModuleSync<T>(use: ModuleUse, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw namingModule(use, cause);
  }
}

/**
 * The same object, whose functions name the key of the configuration, the module and the function in what they throw.
 * An `LmdError` already says what is wrong, and passes.
 */
export function guarded<T extends object>(use: ModuleUse, object: T, names: readonly (keyof T & string)[]): T {
  const failure = (name: string, cause: unknown): unknown =>
    isLmdError(cause)
      ? cause
      : new LmdError('PLUGIN_FAILURE', `${use.key}: ${name} of ${use.reference.module} failed: ${reasonOf(cause)}.`, {
          subject: use.key,
          value: name,
          remedy: 'Correct the module. LMD_DEBUG=1 shows the stack trace.',
          cause,
        });
  const wrapped = names.map((name) => {
    const inner = object[name] as (...given: unknown[]) => unknown;
    const outer = (...given: unknown[]): unknown => {
      try {
        const result = inner.apply(object, given);
        return result instanceof Promise ? result.catch((cause) => Promise.reject(failure(name, cause))) : result;
      } catch (cause) {
        throw failure(name, cause);
      }
    };
    return [name, outer];
  });
  return { ...object, ...Object.fromEntries(wrapped) };
}

function namingModule(use: ModuleUse, cause: unknown, below?: string): unknown {
  if (cause instanceof UsageError) return cause;
  const { key, reference } = use;
  if (!isLmdError(cause)) {
    return refused(use, `failed: ${reasonOf(cause)}`, 'Correct the module. LMD_DEBUG=1 shows the stack trace.', cause);
  }
  const parts = [key, below, cause.subject].filter((part) => part !== undefined);
  return new UsageError(cause.code, `${key} = ${reference.module}: ${cause.message}`, {
    subject: below === undefined ? key : parts.join('.'),
    value: cause.value,
    cause,
  });
}

/** The error of a module that breaks its contract. */
export function refused({ key, reference }: ModuleUse, problem: string, remedy: string, cause?: unknown): UsageError {
  return new UsageError('INVALID_ARGUMENT', `${key}: ${reference.module} ${problem.replace(/\.$/, '')}.`, {
    subject: key,
    value: reference.module,
    remedy,
    cause,
  });
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!;
