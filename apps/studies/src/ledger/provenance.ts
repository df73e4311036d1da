import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Provenance } from './record.js';

const folder = dirname(fileURLToPath(import.meta.url));

function git(...words: string[]): string {
  return execFileSync('git', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** The git commit of the program, with `+` if tracked files differ from it. */
function commit(): string {
  try {
    const head = git('rev-parse', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === '' ? head : `${head}+`;
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

/** The provenance shared by all trials of this process. */
export function describeEnvironment(): Omit<Provenance, 'date'> {
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1);
  return {
    commit: commit(),
    versions: versions(),
    node: process.versions.node,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${gibibytes} GiB, ${platform()} ${arch()}`,
  };
}
