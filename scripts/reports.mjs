// Reads vitest's JSON reports, whose totals are the last lines of `npm test` and of continuous integration.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from './lib.mjs';

/** The folders of all packages in pnpm-workspace.yaml; the root is last. */
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

/**
 * Adds up one report. A file that failed to load counts as one failure: its number of tests is unknown. So does each
 * error outside of tests, for which vitest exits with 1 although every test passed.
 */
export function countReport(path) {
  if (!existsSync(path)) {
    const failures = [`${relative(root, path)}: no report was written`];
    return { passed: 0, failed: 1, skipped: 0, seconds: 0, failures, note: 'no report was written' };
  }
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const broken = report.testResults.filter(isBroken).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken + report.errors.length,
    skipped: report.numPendingTests + report.numTodoTests,
    seconds: report.testResults.reduce((sum, file) => sum + secondsOf(file), 0),
    failures: failuresOf(report),
    note: broken > 0 ? `${broken} test file(s) could not be loaded` : '',
  };
}

const isBroken = (file) => file.status === 'failed' && file.assertionResults.length === 0;
const secondsOf = (file) => (file.endTime - file.startTime) / 1000;

/** The counts of each file of a report, by the name of the file; none without a report. */
export function countFiles(path) {
  if (!existsSync(path)) return [];
  return JSON.parse(readFileSync(path, 'utf8')).testResults.map((file) => {
    const count = (...states) => file.assertionResults.filter(({ status }) => states.includes(status)).length;
    return {
      file: file.name,
      passed: count('passed'),
      failed: count('failed') + (isBroken(file) ? 1 : 0),
      skipped: count('skipped', 'pending', 'todo'),
      seconds: secondsOf(file),
    };
  });
}

const describe = (what, message) =>
  stripVTControlCharacters(`${what}\n${message}`).split('\n').slice(0, 6).join('\n      ');

/** File, name and message of each failed test, of each file that failed to load, and of each error outside of tests. */
function failuresOf(report) {
  const failures = report.testResults.flatMap((file) => {
    const path = relative(root, file.name);
    if (isBroken(file)) return [describe(`${path} failed to load`, file.message)];
    return file.assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => describe(`${path} > ${test.fullName}`, test.failureMessages.join('\n')));
  });
  const outside = report.errors.map(({ where, message }) =>
    describe(where === '' ? 'Outside of any test' : `${relative(root, where)}, outside of its tests`, message),
  );
  return [...failures, ...outside];
}

/** Prints the failures at the end of the log, since long logs are truncated at the beginning. */
export function printFailures(counts) {
  const failures = counts.flatMap((count) => count.failures);
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  - ${failure}`).join('\n')}`);
}

/** Prints why tests were skipped. */
export function printSkipped() {
  const reasons = new Map();
  for (const folder of folders) {
    const path = reportOf(folder);
    if (!existsSync(path)) continue;
    for (const { file, reason } of JSON.parse(readFileSync(path, 'utf8')).skipped) {
      const line = `${relative(root, file)}: ${reason}`;
      reasons.set(line, (reasons.get(line) ?? 0) + 1);
    }
  }
  if (reasons.size === 0) return;
  console.log('\nSkipped:');
  for (const [line, count] of reasons) console.log(`  - ${line}${count > 1 ? ` (${count} tests)` : ''}`);
}

export function totalOf(counts) {
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** `12 passed, 0 failed, 2 skipped`. */
export function summaryOf({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
