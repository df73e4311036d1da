import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLedger } from '@lmd/cli/experiment';
import { expect, it } from 'vitest';
import { composeFiles } from '../src/report/write-report.js';
import { loadStudy } from '../src/study/load.js';

const documented = fileURLToPath(new URL('../../../docs/studies/', import.meta.url));
const names = readdirSync(documented).filter((name) => existsSync(join(documented, name, 'ledger.jsonl.gz')));

it('there are documented studies', () => expect(names).toContain('fashion-mnist'));

it.each(names)('the report of %s is what its ledger says, to the letter', async (name) => {
  const folder = join(documented, name);
  const study = loadStudy(fileURLToPath(new URL(`../studies/${name}.json`, import.meta.url)));
  const { records, tornBytes } = await readLedger(folder);
  expect(tornBytes).toBe(0);
  // The page with its plots and the table of trials are made on demand.
  const { 'report.html': _, 'trials.csv': __, ...files } = composeFiles(study, records);
  for (const [file, contents] of Object.entries(files)) {
    const same = readFileSync(join(folder, file), 'utf8') === contents;
    expect(same, `npm run study -- … --report writes ${file}`).toBe(true);
  }
});
