// Runs vitest test files of several packages, each package with its own configuration, in addition to `npm test`.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, tool } from './lib.mjs';
import { countReport } from './reports.mjs';

/** Path of vitest's report on the part of a package in `suite`, relative to the package's folder. */
export const suiteReport = (suite) => join('.vitest', `${suite}.json`);

/**
 * @param {string} suite Name of the reports.
 * @param {readonly { folder: string, files: readonly string[] }[]} parts Empty `files`: those of the package's
 * configuration.
 * @param {object} env
 */
export async function runSuite(suite, parts, env) {
  const counts = [];
  for (const { folder, files } of parts) {
    // The configuration writes the report to the path that `npm test` reads.
    const written = join(root, folder, '.vitest', 'report.json');
    const kept = join(root, folder, suiteReport(suite));
    for (const path of [written, kept]) rmSync(path, { force: true });
    await tool('vitest', 'vitest.mjs', ['run', ...files], { cwd: join(root, folder), stdout: 'inherit', env });
    if (existsSync(written)) renameSync(written, kept);
    counts.push(countReport(kept));
  }
  return counts;
}
