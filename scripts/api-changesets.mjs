// Run by npm run lint: a changed report of public types needs a changeset that names its package, among the changesets
// that were added or edited since the branch left main. Without history to compare with, it says so and passes.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Compares the working tree with where it left `main`.
 *
 * @param {string} folder root of the repository
 * @returns {{ skipped?: string, missing: string[] }} packages with a changed report and no changeset; `skipped`: why
 *   nothing was compared
 */
export function missingChangesets(folder) {
  const git = (...args) => spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  if (git('rev-parse', '--verify', 'HEAD').status !== 0)
    return { skipped: 'this is no clone with commits', missing: [] };
  const base = ['origin/main', 'main']
    .map((branch) => git('merge-base', 'HEAD', branch))
    .find(({ status }) => status === 0)
    ?.stdout.trim();
  if (base === undefined) {
    const isShallow = git('rev-parse', '--is-shallow-repository').stdout.trim() === 'true';
    const reason = isShallow ? 'the clone is shallow, and the commit where it left main' : 'a branch main';
    return { skipped: `${reason} is missing; git fetch --unshallow origin main brings it`, missing: [] };
  }
  // A new report is that of a new entry point or the first one: there was nothing to compare with.
  const changed = git('diff', '--name-only', '--diff-filter=MD', base, '--', 'packages/*/api/*.api.md').stdout;
  const folders = new Set(lines(changed).map((path) => path.split('/').slice(0, 2).join('/')));
  const edited = git('diff', '--name-only', '--diff-filter=AM', base, '--', '.changeset/*.md').stdout;
  const fresh = git('ls-files', '--others', '--exclude-standard', '--', '.changeset/*.md').stdout;
  const named = new Set([...lines(edited), ...lines(fresh)].flatMap((path) => packagesOf(join(folder, path))));
  const names = [...folders].map((path) => JSON.parse(readFileSync(join(folder, path, 'package.json'), 'utf8')).name);
  return { missing: names.filter((name) => !named.has(name)) };
}

const lines = (text) => text.split('\n').filter((line) => line !== '');

/** The packages that the front matter of a changeset names. */
function packagesOf(path) {
  const [, matter = ''] = /^---\r?\n([\s\S]*?)^---/m.exec(readFileSync(path, 'utf8')) ?? [];
  return [...matter.matchAll(/^['"]?(@?[^'":\s]+)['"]?\s*:/gm)].map(([, name]) => name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { skipped, missing } = missingChangesets(fileURLToPath(new URL('..', import.meta.url)));
  if (skipped !== undefined) console.log(`Changesets of changed types are not checked: ${skipped}.`);
  if (missing.length > 0) {
    console.error(
      `The public types of ${missing.join(', ')} have changed, and no changeset of this branch names ` +
        `${missing.length === 1 ? 'it' : 'them'}. Run npx changeset, or correct the types.`,
    );
    process.exitCode = 1;
  }
}
