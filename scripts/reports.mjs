// Vitest's JSON reports, which the last lines of `npm test` and of continuous integration add up.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib.mjs';

/** Every folder with a package, the root last: those that pnpm-workspace.yaml names. */
export const folders = [
  ...['packages', 'apps', join('apps', 'examples')].flatMap((parent) =>
    readdirSync(join(root, parent))
      .map((name) => join(parent, name))
      .filter((folder) => existsSync(join(root, folder, 'package.json'))),
  ),
  'dev',
  '.',
];

export const reportOf = (folder) => join(root, folder, '.vitest', 'report.json');

/** Adds up one report. A file that failed to load counts as one failure: it hides an unknown number of tests. */
export function countReport(path) {
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: 0, seconds: 0, note: 'no report was written' };
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
    seconds: report.testResults.reduce((sum, file) => sum + (file.endTime - file.startTime) / 1000, 0),
    note: broken > 0 ? `${broken} test file(s) could not be loaded` : '',
  };
}

export function totalOf(counts) {
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** `12 passed, 0 failed, 2 skipped`. */
export function summaryOf({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
