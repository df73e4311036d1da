// Runs all test suites in turn: `npm test`, the changesets of changed types, the audit of dependencies, the browser
// tests, the tests of native engines, the dry run of a release. The last line, `N passed, N failed`, is the total of
// all vitest reports.
import { join } from 'node:path';
import { root, run } from './lib.mjs';
import { browserFolders, nativeParts, releaseParts, webgpuParts } from './parts.mjs';
import { countReport, folders, printFailures, reportOf, summaryOf, totalOf } from './reports.mjs';
import { suiteReport } from './suites.mjs';

/** Runs a script, prints its output and returns its exit code and its last lines. */
async function script(name, ...args) {
  const lines = [];
  const code = await run(process.execPath, [join(root, 'scripts', name), ...args], {
    onLine(line) {
      console.log(line);
      lines.push(line);
      if (lines.length > 60) lines.shift();
    },
  });
  return { code, lines };
}
const inFolder = (folder, name) => join(root, folder, '.vitest', name);

/**
 * The command of each suite, and its reports, which are read when it ends, because a later suite may overwrite them.
 */
const suites = [
  { name: 'npm test', run: () => script('test.mjs'), reports: folders.map(reportOf) },
  { name: 'changesets', run: () => script('api-changesets.mjs'), reports: [] },
  { name: 'audit', run: () => script('audit.mjs'), reports: [] },
  {
    name: 'browser',
    run: () => script('browser-tests.mjs', '--require'),
    reports: [
      ...browserFolders.map((folder) => inFolder(folder, 'browser-report.json')),
      ...webgpuParts.map(({ folder }) => join(root, folder, suiteReport('webgpu'))),
    ],
  },
  {
    name: 'native',
    run: () => script('native-tests.mjs'),
    reports: nativeParts.map(({ folder }) => join(root, folder, suiteReport('native'))),
  },
  { name: 'release', run: () => script('release-dry-run.mjs'), reports: releaseParts.map(({ report }) => report) },
];

const rows = [];
for (const suite of suites) {
  console.log(`\n── ${suite.name} ──`);
  const began = performance.now();
  const { code, lines } = await suite.run();
  const counts = suite.reports.map(countReport);
  rows.push({
    name: suite.name,
    code,
    lines,
    minutes: (performance.now() - began) / 60_000,
    failures: counts.flatMap(({ failures }) => failures),
    ...totalOf(counts),
  });
}

const width = Math.max(...rows.map(({ name }) => name.length));
console.log(`\n${'suite'.padEnd(width)}  passed  failed  skipped  minutes  exit code`);
for (const { name, passed, failed, skipped, minutes, code } of rows) {
  const cells = [passed, failed].map((n) => String(n).padStart(6));
  console.log(
    `${name.padEnd(width)}  ${cells.join('  ')}  ${String(skipped).padStart(7)}  ` +
      `${minutes.toFixed(1).padStart(7)}  ${String(code).padStart(9)}`,
  );
}
const total = totalOf(rows);
process.exitCode = rows.some(({ code }) => code !== 0) || total.failed > 0 || total.passed === 0 ? 1 : 0;
for (const { name, code, failed, lines } of rows) {
  // No test says why: repeats what the script said, since the beginning of a long log is often cut.
  if (code !== 0 && failed === 0) console.log(`\nThe last lines of ${name}, which failed:\n\n${lines.join('\n')}`);
}
printFailures(rows);
console.log(`\n${summaryOf(total)}`);
