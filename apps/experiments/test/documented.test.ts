import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readLedger } from '../src/ledger/ledger.js';
import { composeFiles } from '../src/report/write-report.js';
import { loadStudy } from '../src/study/load.js';
import type { TrialData } from '../src/trial/config.js';

const documented = fileURLToPath(new URL('../../../docs/studies/', import.meta.url));
const names = readdirSync(documented).filter((name) => existsSync(join(documented, name, 'ledger.jsonl')));

it('there are documented studies', () => expect(names).toContain('fashion-mnist'));

it.each(names)('the report of %s is what its ledger says, to the letter', async (name) => {
  const folder = join(documented, name);
  const study = loadStudy(fileURLToPath(new URL(`../studies/${name}.json`, import.meta.url)));
  const { records, tornBytes } = await readLedger(join(folder, 'ledger.jsonl'));
  expect(tornBytes).toBe(0);
  const data = records[0]!.config.data as TrialData;
  for (const [file, contents] of Object.entries(composeFiles(study, data, records))) {
    expect(
      readFileSync(join(folder, file), 'utf8') === contents,
      `${file}: npm run study -- … --report writes it`,
    ).toBe(true);
  }
});
