// npm run release:dry-run [-- PART…]: publishes every package to a registry on loopback, whose storage is a temporary
// folder, then installs each by name with npm, pnpm, yarn and bun, imports it from ECMAScript modules and CommonJS, and
// runs the examples of its README. Packages of others come from the registry that this machine uses. With parts (npm,
// pnpm, yarn, bun, commands) only those are tested after publishing. Ends with `N passed, N failed`, from vitest's
// reports; the temporary folder and the registry are gone then, also after Ctrl-C.
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { installRegistry } from '../dev/engines/registry/install.mjs';
import { npmProgram } from '../dev/release/npm-program.mjs';
import { startGroup } from '../dev/release/process-group.mjs';
import { startRegistry } from '../dev/release/registry.mjs';
import { root, setUp } from './lib.mjs';
import { releaseFolder, releaseParts } from './parts.mjs';
import { countFiles, countReport, printFailures, summaryOf, totalOf } from './reports.mjs';

const [publishing, installing] = releaseParts;
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !installing.files.includes(name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. Use ${installing.files.join(', ')}.`);
  process.exit(2);
}
const parts = [publishing, { ...installing, files: chosen.length > 0 ? chosen : installing.files }];

const written = join(releaseFolder, '.vitest', 'report.json');
const began = performance.now();
const work = mkdtempSync(join(tmpdir(), 'lmd-release-'));
/** What ends when this script does. */
const groups = new Set();
let interruptedBy;
const interruption = new Promise((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      interruptedBy ??= signal;
      reject(new Error(`Interrupted by ${signal}.`));
    });
  }
});

async function vitest({ report, files }, env) {
  rmSync(written, { force: true });
  const program = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const group = startGroup(process.execPath, [program, 'run', ...files.map((name) => `${name}.test.ts`)], {
    cwd: releaseFolder,
    env: { ...process.env, ...env },
  });
  groups.add(group);
  await group.ended;
  groups.delete(group);
  if (existsSync(written)) renameSync(written, report);
  return countReport(report);
}

async function dryRun() {
  // A report of an earlier run would hide a missing one.
  for (const { report } of releaseParts) rmSync(report, { force: true });
  await setUp({ declarations: true });
  const engine = join(root, 'node_modules', '.cache', 'lmd-registry');
  const verdaccio = await installRegistry({ folder: engine, log: (line) => console.log(line) });
  const registry = await startRegistry({ folder: join(work, 'registry'), verdaccio });
  groups.add(registry);
  console.log(`A registry answers at ${registry.url}. Publishing to it and installing from it takes some minutes.`);
  const setting = join(work, 'setting.json');
  writeFileSync(setting, JSON.stringify({ url: registry.url, work, engine, npm: npmProgram() }));
  const counts = [];
  for (const part of parts) {
    counts.push(await vitest(part, { LMD_RELEASE: setting }));
    // Installing what is not there would say the same again, many times.
    if (totalOf(counts).failed > 0) break;
  }
  return counts;
}

function printTable() {
  const rows = releaseParts.flatMap(({ report }) => countFiles(report));
  const nameOf = ({ file }) => basename(file, '.test.ts');
  const width = Math.max('part'.length, ...rows.map((row) => nameOf(row).length));
  console.log(`\n${'part'.padEnd(width)}  passed  failed  skipped  seconds`);
  for (const row of rows) {
    const cells = [row.passed, row.failed, row.skipped].map((n) => String(n).padStart(6));
    const seconds = row.seconds.toFixed(1).padStart(7);
    console.log(`${nameOf(row).padEnd(width)}  ${cells[0]}  ${cells[1]}  ${cells[2].padStart(7)}  ${seconds}`);
  }
}

try {
  const counts = await Promise.race([dryRun(), interruption]);
  printTable();
  printFailures(counts);
  const total = totalOf(counts);
  console.log(`\nPublished, installed and tested in ${Math.round((performance.now() - began) / 1000)} s.`);
  console.log(summaryOf(total));
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
} catch (error) {
  console.error(error.message);
  process.exitCode = interruptedBy === undefined ? 1 : 130;
} finally {
  for (const group of groups) await group.stop();
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
