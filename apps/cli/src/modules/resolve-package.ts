import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Conditions of `exports` that hold for an `import` in Node. */
const conditions = ['node', 'import', 'module-sync', 'default'];

/**
 * The file that `import '<specifier>'` of a module in `folder` would load; undefined if no such package is installed or
 * it exports no such file. Node resolves packages only for the importing file itself, which is that of the command.
 */
export function resolvePackage(specifier: string, folder: string): string | undefined {
  const [, name, subpath] = /^((?:@[^/\\]+\/)?[^/\\.@][^/\\]*)(\/.+)?$/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  for (let at = folder; ; at = dirname(at)) {
    const root = join(at, 'node_modules', name);
    if (existsSync(join(root, 'package.json'))) return entryOf(root, subpath);
    if (dirname(at) === at) return undefined;
  }
}

function entryOf(root: string, subpath: string | undefined): string | undefined {
  const { exports, main } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly exports?: unknown;
    readonly main?: string;
  };
  const target =
    exports === undefined || exports === null
      ? (subpath?.slice(1) ?? main ?? 'index.js')
      : targetOf(hasSubpaths(exports) ? exports[`.${subpath ?? ''}`] : subpath === undefined ? exports : undefined);
  if (target === undefined) return undefined;
  const path = [target, `${target}.js`, join(target, 'index.js')]
    .map((candidate) => join(root, candidate))
    .find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
  return path === undefined ? undefined : realpathSync(path);
}

function hasSubpaths(exports: unknown): exports is Readonly<Record<string, unknown>> {
  return typeof exports === 'object' && exports !== null && Object.keys(exports).every((key) => key.startsWith('.'));
}

/** The first target whose conditions hold. */
function targetOf(exported: unknown): string | undefined {
  if (typeof exported === 'string') return exported;
  if (Array.isArray(exported)) return exported.map(targetOf).find((target) => target !== undefined);
  if (typeof exported !== 'object' || exported === null) return undefined;
  for (const [condition, inner] of Object.entries(exported)) {
    const target = conditions.includes(condition) ? targetOf(inner) : undefined;
    if (target !== undefined) return target;
  }
  return undefined;
}
