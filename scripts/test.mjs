// npm test: sets up, then runs type checks, lint and every test that needs only Node and the npm registry. The last
// line, `N passed, N failed`, is the total of the vitest reports of all packages.
import { existsSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { root, setUp, turbo } from './lib.mjs';
import { countReport, folders, printFailures, printSkipped, reportOf, summaryOf, totalOf } from './reports.mjs';

// Vitest builds module URLs from paths without escaping these characters.
const misread = /[#?%*]/.exec(root);
if (misread !== null) {
  console.error(
    `The tests cannot run in ${root}: Vitest does not find files in a folder with "${misread[0]}" in its ` +
      'name. Move the clone.',
  );
  process.exit(1);
}

await setUp();
// Removes reports of earlier runs, which could hide a missing report; turbo restores cached ones.
for (const folder of folders) rmSync(reportOf(folder), { force: true });

// At least two at a time, since type checks, lint and most test files use one core.
const concurrency = Math.max(2, Math.min(4, Math.floor(availableParallelism() / 2)));
const tasks = ['typecheck', 'typecheck:root', 'declarations', 'lint:root', 'lint:api', 'test', 'test:root'];
console.log(
  `Checking types and lint, and running the tests of ${folders.length} packages, ${concurrency} at a time. ` +
    'The first run takes about 9 minutes on two cores; unchanged packages are not tested again.',
);

/** Prints the result of each package when its report is there. */
const waiting = new Set(folders);
function showFinished() {
  for (const folder of waiting) {
    if (!existsSync(reportOf(folder))) continue;
    try {
      const count = countReport(reportOf(folder));
      console.log(`  ${folder === '.' ? 'the repository' : folder}: ${summaryOf(count)}`);
      waiting.delete(folder);
    } catch (error) {
      // The report is being written.
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
}
const timer = setInterval(showFinished, 500);
const output = [];
const code = await turbo(
  [
    'run',
    ...tasks,
    '--continue=dependencies-successful',
    `--concurrency=${concurrency}`,
    '--output-logs=errors-only',
    '--log-order=grouped',
    ...process.argv.slice(2),
  ],
  // WebGPU on a graphics card, where there is one; in software the browser suite runs it.
  { onLine: (line) => output.push(line), env: { LMD_SOFTWARE_WEBGPU: 'off' } },
);
clearInterval(timer);
showFinished();
const rows = folders.map((folder) => ({ folder, ...countReport(reportOf(folder)) }));
const total = totalOf(rows);
const width = Math.max(...rows.map((row) => row.folder.length));
console.log(`\n${'package'.padEnd(width)}  passed  failed  skipped  seconds`);
for (const row of rows) {
  const cells = [row.passed, row.failed, row.skipped].map((n) => String(n).padStart(6));
  console.log(
    `${row.folder.padEnd(width)}  ${cells[0]}  ${cells[1]}  ${cells[2].padStart(7)}  ` +
      `${row.seconds.toFixed(1).padStart(7)}  ${row.note}`,
  );
}
printSkipped();
// After the long list of skipped tests, since readers look at the end first.
if (code !== 0) console.log(`\n${output.join('\n')}`);
printFailures(rows);
if (code !== 0 && total.failed === 0) {
  console.log('\nEvery test passed, but a type check, the lint or another task failed: see above.');
}
console.log(`\n${summaryOf(total)}`);
process.exitCode = code !== 0 || total.failed > 0 || total.passed === 0 ? 1 : 0;
