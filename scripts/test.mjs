// npm test: sets up, then runs type checks, lint and every test that needs no more than Node and the npm registry.
// The last line, `N passed, N failed`, adds up the reports that vitest wrote, one a package.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root, setUp, turbo } from './lib.mjs';

const folders = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(root, parent))
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(root, folder, 'package.json'))),
);
folders.push('.');
const reportOf = (folder) => join(root, folder, '.vitest', 'report.json');

/** Adds up one vitest report. A file that failed to load counts as one failure: it hides an unknown number of tests. */
function count(folder) {
  const path = reportOf(folder);
  if (!existsSync(path)) return { folder, passed: 0, failed: 1, skipped: 0, seconds: 0, note: 'no report was written' };
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const seconds = report.testResults.reduce((sum, file) => sum + (file.endTime - file.startTime) / 1000, 0);
  return {
    folder,
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
    seconds,
    note: broken > 0 ? `${broken} test file(s) could not be loaded` : '',
  };
}

await setUp();
// A report left by an earlier run must not stand in for one that this run failed to write; turbo restores cached ones.
for (const folder of folders) rmSync(reportOf(folder), { force: true });

const concurrency = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)));
const tasks = ['typecheck', 'lint:root', 'test', 'test:root'];
const code = await turbo(
  [
    'run',
    ...tasks,
    '--continue=dependencies-successful',
    `--concurrency=${concurrency}`,
    '--output-logs=new-only',
    ...process.argv.slice(2),
  ],
  { stdout: 'inherit' },
);

const rows = folders.map(count);
const total = rows.reduce(
  (sum, row) => ({
    passed: sum.passed + row.passed,
    failed: sum.failed + row.failed,
    skipped: sum.skipped + row.skipped,
  }),
  { passed: 0, failed: 0, skipped: 0 },
);
const width = Math.max(...rows.map((row) => row.folder.length));
console.log(`\n${'package'.padEnd(width)}  passed  failed  skipped  seconds`);
for (const row of rows) {
  const cells = [row.passed, row.failed, row.skipped].map((n) => String(n).padStart(6));
  console.log(
    `${row.folder.padEnd(width)}  ${cells[0]}  ${cells[1]}  ${cells[2].padStart(7)}  ${row.seconds.toFixed(1).padStart(7)}  ${row.note}`,
  );
}
if (code !== 0 && total.failed === 0) {
  console.log('\nEvery test passed, but a type check or the lint failed: see above.');
}
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = code !== 0 || total.failed > 0 || total.passed === 0 ? 1 : 0;
