import { join } from 'node:path';
import { type LedgerRecord, readLedger } from '@lmd/cli/experiment';
import { chartFile, reportInMarkdown, reportInPage } from '@lmd/report';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { Study } from '../study/schema.js';
import { gatherEvidence } from './evidence.js';
import { composeReport } from './report.js';
import { trialsInCsv } from './trials-csv.js';

/** The report's files by name, determined by the study and the records. */
export function composeFiles(study: Study, records: readonly LedgerRecord[]): { readonly [file: string]: string } {
  const evidence = gatherEvidence(study, records);
  const report = composeReport(evidence);
  return {
    'report.md': reportInMarkdown(report),
    'report.html': reportInPage(report),
    'trials.csv': trialsInCsv(evidence),
    ...Object.fromEntries(
      report.blocks.flatMap((block) =>
        block.kind === 'chart' && block.file !== undefined ? [[block.file, chartFile(block.chart)]] : [],
      ),
    ),
  };
}

/**
 * Writes `report.md` with its figure, `report.html` and `trials.csv` to the folder of the ledger, each atomically, and
 * returns their paths.
 */
export async function writeReport(study: Study, out: string): Promise<string[]> {
  const { records } = await readLedger(out);
  const paths: string[] = [];
  for (const [name, contents] of Object.entries(composeFiles(study, records))) {
    const path = join(out, name);
    await writeFileAtomic(path, contents);
    paths.push(path);
  }
  return paths;
}
