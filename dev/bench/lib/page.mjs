import { renameSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cellsOf, omissions, rows } from './report.mjs';
import { tableOf } from './table.mjs';

/**
 * The rows that were reported, or some of them, as a table in Markdown. A column that is empty throughout is left out.
 */
export function tableOfRows(some = rows, figures = 'speed') {
  const all = some.map(cellsOf);
  const kept = (line) => line.filter((_, column) => all.some((cells) => cells[column] !== ''));
  return tableOf(kept(['what', figures, 'beside', 'at least']), all.map(kept));
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
