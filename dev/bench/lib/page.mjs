import { renameSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cellsOf, omissions, rows } from './report.mjs';
import { tableOf } from './table.mjs';

/**
 * The reported rows, or a subset, as a Markdown table. Empty columns are omitted.
 */
export function tableOfRows(some = rows, figures = 'speed') {
  const all = some.map(cellsOf);
  const kept = (line) => line.filter((_, column) => all.some((cells) => cells[column] !== ''));
  return tableOf(kept(['benchmark', figures, 'compared with', 'target']), all.map(kept));
}

/** The sentence of a page about omitted rows. */
export const omitted = () => (omissions.length === 0 ? 'Nothing was omitted.' : `Omitted: ${omissions.join('; ')}.`);

/** Date, machine and load average of this run. */
export function occasion() {
  const processors = cpus();
  const machine = `${processors[0].model.trim()}, ${processors.length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB`;
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${machine}, ${process.platform} ${process.arch}, Node ${process.versions.node}`,
    load: `load average ${loadavg()[1].toFixed(1)} over the last five minutes, this run included`,
  };
}

/** Writes a file atomically, and says so. */
export function writeAtomically(path, text) {
  writeFileSync(`${path}.partial`, text);
  renameSync(`${path}.partial`, path);
  console.error(`Written: ${path}`);
}

/** Writes a page of docs/ atomically. */
export function writeDocument(name, text) {
  writeAtomically(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), text);
}
