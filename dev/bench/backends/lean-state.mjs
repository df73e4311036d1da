/**
 * node dev/bench/backends/lean-state.mjs [--json] [--write] [--quick] [--rounds 7]
 *
 * Time of a draw and an update of LMD by state format, on the cpu backend, compared with AdamW. `--write` writes the
 * table to docs/optimizers.md. `--quick` runs each once on few weights, to check that it works; its times are not
 * meaningful.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createCpuBackend } from '@lmd/backends/cpu';
import { benchArguments } from '../lib/arguments.mjs';
import { occasion, writeDocument } from '../lib/page.mjs';
import { print, report } from '../lib/report.mjs';
import { tableOf } from '../lib/table.mjs';
import { raceStates } from './states.mjs';

const given = benchArguments({});
const size = given.quick ? 1e3 : 1e6;
const { rounds } = given;
const page = fileURLToPath(new URL('../../../docs/optimizers.md', import.meta.url));

const backend = await createCpuBackend();
const states = await raceStates(backend, size, rounds, true);
const shown = (milliseconds) => (milliseconds === undefined ? '' : milliseconds.toFixed(1));
const rows = states.map(({ label, bytes, draw, update, composed }) => [
  label,
  bytes.toFixed(2),
  // AdamW draws nothing.
  shown(label.startsWith('AdamW') ? undefined : draw),
  shown(update),
  shown(composed),
]);
const titles = [
  'rule, state',
  '>bytes a weight',
  '>draw, ms',
  '>update, ms',
  '>update without the kernels for codes, ms',
];
const { date, machine, load } = occasion();
const text = `${tableOf(titles, rows)}

For a million weights, the least of ${rounds} rounds that alternate; written ${date} by \`node dev/bench/backends/lean-state.mjs --write\`:
${machine}; ${backend.device}; ${load}.`;
for (const { label, draw, update, composed } of states) {
  report(`${label}, draw, ${size} weights`, draw, 'ms');
  const title = `${label}, update, ${size} weights`;
  if (composed === undefined) report(title, update, 'ms');
  else report(title, update, 'ms', 'without the kernels for codes', composed / update);
}
if (given.json) print(true);
else console.log(text);
if (given.write) {
  const marks = /(<!-- lean times -->\n)[\s\S]*?(<!-- \/lean times -->)/;
  const before = readFileSync(page, 'utf8');
  if (!marks.test(before)) throw new Error(`${page} has no markers for the table.`);
  writeDocument(
    'optimizers.md',
    before.replace(marks, (_, start, end) => `${start}\n${text}\n\n${end}`),
  );
}
backend.close();
