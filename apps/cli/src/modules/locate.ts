import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optimizerRules } from '@lmd/core';
import { backendNames } from '../engine/names.js';
import { UsageError } from '../errors.js';
import { resolvePackage } from './resolve-package.js';

/** Keys and values of a configuration that has not been validated. */
type Raw = Readonly<Record<string, unknown>>;

/**
 * Converts every module specifier of a raw configuration to `{ module, options }` with an absolute path, which the
 * schema expects. Values of other types are left for the schema to refuse.
 *
 * @param folder against which relative paths and packages resolve.
 * @param origin the beginning of error messages.
 * @throws UsageError naming the key for a path or a package that does not exist.
 */
export function locateModules(raw: object, folder: string, origin: string): object {
  const given = raw as Raw;
  const at = (key: string) => ({ key, folder, origin });
  const change = (key: string, located: (value: unknown) => unknown) =>
    Object.hasOwn(given, key) ? { [key]: located(given[key]) } : {};
  return {
    ...raw,
    ...change('backend', (value) => locateBackend(value, folder, origin)),
    ...change('data', (value) => ofKind(value, at('data'))),
    ...change('model', (value) => ofKind(value, at('model'))),
    ...change('optimizers', (list) =>
      Array.isArray(list) ? list.map((entry, index) => locateRule(entry, at(`optimizers.${index}`))) : list,
    ),
    ...change('plugins', (list) =>
      Array.isArray(list) ? list.map((entry, index) => reference(entry, at(`plugins.${index}`))) : list,
    ),
  };
}

/** A backend of the command by its name, or a module. An unknown name is left for the schema to refuse. */
export function locateBackend(value: unknown, folder: string, origin: string | undefined): unknown {
  const at = { key: 'backend', folder, origin };
  if (typeof value !== 'string' || isOneOf(backendNames, value)) return isModule(value) ? reference(value, at) : value;
  return isPath(value) || resolvePackage(value, folder) !== undefined ? reference(value, at) : value;
}

interface Place {
  readonly key: string;
  readonly folder: string;
  /** Undefined on the command line. */
  readonly origin: string | undefined;
}

/** `model` and `data`: a specifier, or an object with `module`, whose `kind` may be omitted. */
function ofKind(value: unknown, place: Place): unknown {
  return typeof value === 'string' || isModule(value) ? { kind: 'module', ...reference(value, place) } : value;
}

/** `"rule": "./my-rule.js"` is short for `"rule": "module", "module": "./my-rule.js"`. */
function locateRule(entry: unknown, place: Place): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  const { rule } = entry as Raw;
  if (isModule(entry)) return { rule: 'module', ...reference(entry, place) };
  if (typeof rule !== 'string' || isOneOf(Object.keys(optimizerRules), rule)) return entry;
  const isSpecifier = isPath(rule) || resolvePackage(rule, place.folder) !== undefined;
  const module = () => locateSpecifier(rule, { ...place, key: `${place.key}.rule` });
  return isSpecifier ? { ...entry, rule: 'module', module: module() } : entry;
}

function isModule(value: unknown): value is { readonly module: string } {
  return typeof value === 'object' && value !== null && typeof (value as Raw).module === 'string';
}

function reference(value: unknown, place: Place): object {
  if (typeof value === 'string') return { module: locateSpecifier(value, place) };
  return isModule(value)
    ? { ...value, module: locateSpecifier(value.module, { ...place, key: `${place.key}.module` }) }
    : (value as object);
}

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name);

function isPath(specifier: string): boolean {
  return /^\.{1,2}[/\\]|^file:/.test(specifier) || isAbsolute(specifier);
}

/** The absolute path of the file of a specifier. */
function locateSpecifier(specifier: string, { key, folder, origin }: Place): string {
  const path = isPath(specifier)
    ? specifier.startsWith('file:')
      ? fileURLToPath(specifier)
      : resolve(folder, specifier)
    : resolvePackage(specifier, folder);
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  const missing = path === undefined ? `no such package is installed for ${folder}` : `${path} is not a file`;
  throw new UsageError(
    'INVALID_ARGUMENT',
    `${origin === undefined ? '' : `${origin}: `}${key} is ${JSON.stringify(specifier)}, but ${missing}.`,
    {
      subject: key,
      value: specifier,
      remedy:
        'Use a path that begins with ./, relative to the configuration file, an absolute path, or the name of an ' +
        'installed package.',
    },
  );
}
