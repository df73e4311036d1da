/**
 * node bench/lean-state.mjs [--write] [--rounds 7]
 *
 * What a draw and an update of LMD take by the format of the state, on the cpu backend, beside AdamW. `--write` writes the table into
 * docs/optimizers.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { occasion } from './page.mjs';
import { raceStates } from './states.mjs';

const { values: given } = parseArgs({
  options: { write: { type: 'boolean', default: false }, rounds: { type: 'string', default: '7' } },
});
const size = 1e6;
const page = fileURLToPath(new URL('../../../docs/optimizers.md', import.meta.url));

const backend = await createCpuBackend();
const states = await raceStates(backend, size, Number(given.rounds), true);
const shown = (milliseconds) => (milliseconds === undefined ? '' : milliseconds.toFixed(1));
const rows = states.map(({ label, bytes, draw, update, composed }) => [
  label,
  bytes.toFixed(2),
  // AdamW draws nothing.
  shown(label.startsWith('AdamW') ? undefined : draw),
  shown(update),
  shown(composed),
]);
const titles = ['rule, state', 'bytes a weight', 'draw, ms', 'update, ms', 'update without the kernels for codes, ms'];
const line = (row) => `| ${row.join(' | ')} |`;
const { date, machine, load } = occasion();
const text = `${[titles, titles.map(() => '---'), ...rows].map(line).join('\n')}

For a million weights, the least of ${given.rounds} rounds that alternate; written ${date} by \`node packages/backends/bench/lean-state.mjs --write\`:
${machine}; ${backend.device}; ${load}.`;
console.log(text);
if (given.write) {
  const marks = /(<!-- lean times -->\n)[\s\S]*?(<!-- \/lean times -->)/;
  const before = readFileSync(page, 'utf8');
  if (!marks.test(before)) throw new Error(`${page} has no place for the table.`);
  writeFileSync(
    page,
    before.replace(marks, (_, start, end) => `${start}\n${text}\n\n${end}`),
  );
}
backend.close();
