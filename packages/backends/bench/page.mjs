import { renameSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cellsOf, omissions, rows } from './report.mjs';

/** The rows that were reported, or some of them, as a table in Markdown. A column that is empty throughout is left out. */
export function tableOfRows(some = rows, figures = 'speed') {
  const all = some.map(cellsOf);
  const kept = (line) => line.filter((_, column) => all.some((cells) => cells[column] !== ''));
  const cells = all.map(kept);
  const table = [kept(['what', figures, 'beside', 'at least']), ...cells];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(table[0]), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.map(line)].join('\n');
}

/** What the page says about rows that are not there. */
export const omitted = () => (omissions.length === 0 ? 'Nothing was left out.' : `Left out: ${omissions.join('; ')}.`);

/** When and on what, with how busy it was. */
export function occasion() {
  const processors = cpus();
  const machine = `${processors[0].model.trim()}, ${processors.length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB`;
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${machine}, ${process.platform} ${process.arch}, Node ${process.versions.node}`,
    load: `load average ${loadavg()[1].toFixed(1)} over the last five minutes, this run included`,
  };
}

/** Writes a page of docs/ whole or not at all. */
export function writeDocument(name, text) {
  const page = fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
  writeFileSync(`${page}.partial`, text);
  renameSync(`${page}.partial`, page);
  console.error(`Written: ${page}`);
}

/** Writes docs/performance.md from the rows that were reported. */
export function writePage(device, deviceWithOnnxruntime) {
  const { date, machine, load } = occasion();
  const engine =
    deviceWithOnnxruntime === undefined ? '' : `, and in rows that say so ${deviceWithOnnxruntime.split('; ').at(-1)}`;
  writeDocument(
    'performance.md',
    `# Performance of the cpu backend

Written by \`npm run bench -- cpu --write\` on ${date}: ${machine},
${device}${engine}; ${load}. ${omitted()}

Everything was measured in one run; each figure is the least of several rounds, and where both sides run in one process, their rounds
alternate. A ratio says how many times as fast as the peer a row is. Beside \`the copy bandwidth\` it is what the kernel must move, each
tensor once, over what a copy moves in the same time, and beside \`the peak of a product\` its operations over those of a product whose
operands stay in the caches: 1 is the machine's limit. In rows of peak memory, of the whole process, it is how many times as much the peer takes. [Why the backend is as it is](decisions/0005-cpu-backend.md), and
[how its threads work](decisions/README.md).

${tableOfRows()}
`,
  );
}
