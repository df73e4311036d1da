// npm run docs:backends [-- NAME …]: measures the named backends, or all, and writes docs/backends.md and the figures
// behind it, docs/backends.json. A backend whose engine this machine lacks keeps its column. With `-- --render` it
// writes the page from the figures.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, setUp, tool, turbo } from '../../../scripts/lib.mjs';
import { columns, softwareVulkan } from './backends.mjs';

const seed = 1;
const names = columns.map(({ name }) => name);
const renderOnly = process.argv.includes('--render');
const chosen = process.argv.slice(2).filter((argument) => argument !== '--render');
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No backend is called ${unknown.join(', ')}. There are ${names.join(', ')}.`);
  process.exit(2);
}
await setUp({ build: false });
const build = ['run', 'build', '--filter=@lmd/conformance', '--filter=@lmd/backends', '--output-logs=errors-only'];
if ((await turbo(build)) !== 0) process.exit(1);

function writeAtomically(path, text) {
  writeFileSync(`${path}.partial`, text);
  renameSync(`${path}.partial`, path);
}

const figures = join(root, 'docs', 'backends.json');
const records = existsSync(figures) ? JSON.parse(readFileSync(figures, 'utf8')) : {};
const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB, ${platform()} ${arch()}`;
let wrong = 0;
for (const name of renderOnly ? [] : chosen.length > 0 ? chosen : names) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'dev', 'parity', 'backends', 'measure.mjs'), name, String(seed)],
    { env: { ...process.env, ...softwareVulkan() }, maxBuffer: 2 ** 26 },
  );
  const { missing, ...record } = JSON.parse(stdout.trimEnd().split('\n').at(-1));
  if (missing !== undefined) {
    console.log(`${name}: left as it was. ${missing}`);
    continue;
  }
  const date = new Date().toISOString().slice(0, 10);
  records[name] = { date, node: process.versions.node, machine, seed, ...record };
  wrong += record.failed.length;
  console.log(`${name}: ${record.passed} passed, ${record.failed.length} failed, on ${record.device}`);
}
const ordered = Object.fromEntries(names.filter((name) => name in records).map((name) => [name, records[name]]));
const { render } = await import('./render.mjs');
writeAtomically(figures, `${JSON.stringify(ordered, null, 2)}\n`);
await tool('@biomejs/biome', join('bin', 'biome'), ['format', '--write', figures]);
writeAtomically(join(root, 'docs', 'backends.md'), render(names, ordered));
process.exitCode = wrong > 0 ? 1 : 0;
