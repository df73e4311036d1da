// npm run sizes [-- --write] [--entries] [--detail NAME]: bundles every entry point and prints its compressed size;
// packs every package, installs each alone in a fresh project, and prints how many packages that brings, their
// megabytes, and the time of a cold import. --write puts the tables into docs/installs.md; --entries leaves out the
// installations; --detail lists the largest packages of one installation.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { withMarked } from '../dev/bench/lib/marked.mjs';
import { entrySizes } from './entry-sizes.mjs';
import { entryLimits, installLimits } from './install-limits.mjs';
import { root, setUp } from './lib.mjs';
import { installedPackages, installedSize, installPacked, packAll, published, specifiersOf } from './packed.mjs';

const { values: given } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    entries: { type: 'boolean', default: false },
    detail: { type: 'string' },
  },
});
await setUp({ declarations: true });

/** Prints a table, and puts it between the markers of a name in docs/installs.md if asked to. */
function show(name, table, occasion = '') {
  console.log(`${table}\n`);
  if (!given.write) return;
  const page = join(root, 'docs', 'installs.md');
  writeFileSync(page, withMarked(readFileSync(page, 'utf8'), name, `${occasion}${table}`));
  console.error(`Written: ${page}`);
}

const entries = [...(await entrySizes())]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([specifier, kilobytes]) => [
    `\`${specifier}\``,
    kilobytes.toFixed(1),
    String(entryLimits[specifier] ?? 'none'),
  ]);
show('entries', markdownTable([['entry point', 'kB', 'limit'], ...entries], { align: ['l', 'r', 'r'] }));
if (given.entries) process.exit();

/** Milliseconds of importing a module in a new process, the start of Node not included; the best of five. */
function coldImport(specifier, project) {
  const program = `const start = performance.now(); await import(${JSON.stringify(specifier)});
    console.log(performance.now() - start);`;
  const run = () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: project }));
  return Math.min(...Array.from({ length: 5 }, run));
}

const work = mkdtempSync(join(tmpdir(), 'lmd-sizes-'));
try {
  mkdirSync(join(work, 'tarballs'));
  const tarballs = packAll(join(work, 'tarballs'));
  const rows = published.map(({ manifest }) => {
    const { name } = manifest;
    const project = join(work, name.replace(/\W/g, '-'));
    installPacked(name, tarballs, project);
    const { packages, megabytes } = installedSize(project);
    const slowest = Math.max(...specifiersOf(manifest).map((specifier) => coldImport(specifier, project)));
    console.error(`${name}: ${packages} packages, ${megabytes.toFixed(1)} MB, ${slowest.toFixed(0)} ms`);
    if (name === given.detail) {
      for (const one of installedPackages(project)
        .sort((a, b) => b.bytes - a.bytes)
        .slice(0, 20)) {
        console.error(`  ${one.name}: ${(one.bytes / 1e6).toFixed(2)} MB`);
      }
    }
    const limit = installLimits[name];
    const limits = limit === undefined ? 'none' : `${limit.packages} packages, ${limit.megabytes} MB`;
    return [`\`${name}\``, String(packages), megabytes.toFixed(1), slowest.toFixed(0), limits];
  });
  const titles = ['package', 'packages', 'MB', 'import, ms', 'limit'];
  const table = markdownTable([titles, ...rows], { align: ['l', 'r', 'r', 'r', 'l'] });
  const occasion = `${new Date().toISOString().slice(0, 10)}: ${cpus()[0].model.trim()}, ${process.platform} ${process.arch}, Node ${process.versions.node}.`;
  show('sizes', table, `Measured on ${occasion}\n\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
