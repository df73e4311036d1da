import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import type { Provenance } from './record.js';

function git(folder: string, ...words: string[]): string {
  return execFileSync('git', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** The git commit of a checkout, with `+` if tracked files differ from it. */
function commitOf(folder: string): string {
  try {
    const head = git(folder, 'rev-parse', 'HEAD');
    return git(folder, 'status', '--porcelain', '--untracked-files=no') === '' ? head : `${head}+`;
  } catch {
    return 'unknown';
  }
}

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  return Object.fromEntries(
    ['cli', 'core', 'mx-formats', 'models', 'training', 'backends'].map((name) => [
      `@lmd/${name}`,
      (require(`@lmd/${name}/package.json`) as { version: string }).version,
    ]),
  );
}

/**
 * The provenance shared by all trials of this process.
 *
 * @param checkout folder of the program's sources; undefined for an installed program, which has no commit.
 */
export function describeEnvironment(checkout: string | undefined): Omit<Provenance, 'date'> {
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1);
  return {
    commit: checkout === undefined ? 'unknown' : commitOf(checkout),
    versions: versions(),
    node: process.versions.node,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${gibibytes} GiB, ${platform()} ${arch()}`,
  };
}
