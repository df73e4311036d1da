// Runs test files of several packages by vitest, each package with its own configuration, beside what `npm test` runs.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, tool } from './lib.mjs';
import { countReport } from './reports.mjs';

/** Where vitest's report on the part of a package that `suite` runs is kept, relative to the package's folder. */
export const suiteReport = (suite) => join('.vitest', `${suite}.json`);

/**
 * @param {string} suite Names the reports.
 * @param {readonly { folder: string, files: readonly string[] }[]} parts `files` empty: those of the package's own
 *   configuration.
 * @param {object} env
 */
export async function runSuite(suite, parts, env) {
  const counts = [];
  for (const { folder, files } of parts) {
    // The configuration writes the report where `npm test` reads its own.
    const written = join(root, folder, '.vitest', 'report.json');
    const kept = join(root, folder, suiteReport(suite));
    for (const path of [written, kept]) rmSync(path, { force: true });
    await tool('vitest', 'vitest.mjs', ['run', ...files], { cwd: join(root, folder), stdout: 'inherit', env });
    if (existsSync(written)) renameSync(written, kept);
    counts.push(countReport(kept));
  }
  return counts;
}
