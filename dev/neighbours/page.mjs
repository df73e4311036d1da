/**
 * node dev/neighbours/page.mjs [NAME …]: takes the named results, such as dale-langevin-digits-lmd, from runs/examples
 * to docs/neighbours, and writes docs/neighbours.md from what is there. Build first.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { captionOf } from '@lmd/example-shared';
import { markdownTable } from '@lmd/report';
import { tool } from '../../scripts/lib.mjs';
import { withMarked, wrapped } from '../bench/lib/marked.mjs';
import { writeAtomically } from '../bench/lib/page.mjs';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
export const page = at('docs/neighbours.md');
const folder = at('docs/neighbours');

/** The records of the examples, by name. */
export function readRecords() {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(
    files.map((file) => [basename(file, '.json'), JSON.parse(readFileSync(join(folder, file), 'utf8'))]),
  );
}

/** What the page shows of a record: the table, the caption and the figure, if it has one. */
function section(name, record) {
  const parts = [markdownTable(record.table), wrapped(captionOf(record))];
  const figure = ['svg', 'png']
    .map((extension) => `${name}.${extension}`)
    .find((file) => existsSync(join(folder, file)));
  if (figure !== undefined) parts.push(`![The results of ${name}](neighbours/${figure})`);
  return parts.join('\n\n');
}

/** The page with the sections of all records written anew. */
export function composePage(text, records) {
  return Object.entries(records).reduce((page, [name, record]) => withMarked(page, name, section(name, record)), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of process.argv.slice(2)) {
    for (const extension of ['json', 'svg', 'png']) {
      const from = at(`runs/examples/${name}.${extension}`);
      if (extension === 'json' || existsSync(from)) copyFileSync(from, join(folder, `${name}.${extension}`));
    }
  }
  await tool('@biomejs/biome', join('bin', 'biome'), ['format', '--write', folder]);
  writeAtomically(page, composePage(readFileSync(page, 'utf8'), readRecords()));
}
