import { join } from 'node:path';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { readLedger } from '../ledger/ledger.js';
import type { LedgerRecord } from '../ledger/record.js';
import { ledgerPath } from '../runner/run-study.js';
import type { Study } from '../study/schema.js';
import type { TrialData } from '../trial/config.js';
import { renderCsv } from './csv.js';
import { gatherEvidence } from './evidence.js';
import { renderHtml } from './html.js';
import { renderMarkdown } from './markdown.js';
import { composeReport } from './report.js';

/** The report's files, by name: a function of study and records alone. */
export function composeFiles(
  study: Study,
  data: TrialData,
  records: readonly LedgerRecord[],
): { readonly [file: string]: string } {
  const evidence = gatherEvidence(study, data, records);
  const report = composeReport(evidence);
  return {
    'report.md': renderMarkdown(report),
    'report.html': renderHtml(report),
    'trials.csv': renderCsv(evidence),
  };
}

/** Writes `report.md`, `report.html` and `trials.csv` beside the ledger, each whole or not at all, and gives their paths. */
export async function writeReport(study: Study, data: TrialData, out: string): Promise<string[]> {
  const { records } = await readLedger(ledgerPath(out));
  const paths: string[] = [];
  for (const [name, contents] of Object.entries(composeFiles(study, data, records))) {
    const path = join(out, name);
    await writeFileAtomic(path, contents);
    paths.push(path);
  }
  return paths;
}
