import { resolve } from 'node:path';
import { type CsvValue, csv } from '@lmd/report';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { comparisonColumns, differenceTable } from '../compare/columns.js';
import { type ComparedTrial, type Comparison, compareRuns, notesOf } from '../compare/comparison.js';
import { renderComparison } from '../compare/comparison-report.js';
import { UsageError } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { type Column, renderTable } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { wrapText } from '../output/wrap.js';
import { readRun } from '../run/read-run.js';

export interface CompareCommandOptions {
  readonly html?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** `lmd compare`: the results of runs side by side, with the keys in which their configurations differ. */
export async function compareCommand(
  runs: readonly string[],
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const folders = runs.map((run) => resolve(run));
  const twice = folders.find((folder, index) => folders.indexOf(folder) !== index);
  if (twice !== undefined) {
    throw new UsageError('INVALID_ARGUMENT', `${twice} is given twice.`, {
      subject: 'run',
      value: twice,
      remedy: 'Name each run once.',
    });
  }
  const comparison = compareRuns(await Promise.all(folders.map((folder) => readRun(folder))));
  if (options.html !== undefined) await writeFileAtomic(resolve(options.html), renderComparison(comparison));
  const { out } = terminal;
  if (options.json) {
    const { trials, differences } = comparison;
    out.write(jsonLine({ type: 'comparison', trials, differences, notes: notesOf(comparison) }));
  } else if (options.csv) out.write(comparisonCsv(comparison));
  else show(comparison, options.html, terminal);
}

function show(comparison: Comparison, page: string | undefined, { out, colours }: Terminal): void {
  const style = { styleTitle: colours.bold, columns: out.columns };
  out.write(`${renderTable(comparisonColumns(comparison), comparison.trials, style)}\n`);
  const { titles, rows } = differenceTable(comparison);
  const columns = titles.map((title, index): Column<readonly string[]> => ({ title, cell: (row) => row[index]! }));
  if (rows.length > 0) out.write(`\nDifferences of the configurations:\n\n${renderTable(columns, rows, style)}\n`);
  for (const note of notesOf(comparison))
    out.write(`\n${wrapText(`${colours.yellow('note')} ${note}`, out.columns)}\n`);
  if (page !== undefined) out.write(`\nReport  ${page}\n`);
}

const values: Readonly<Record<string, (trial: ComparedTrial) => CsvValue>> = {
  run: ({ run }) => run,
  optimizer: ({ optimizer }) => optimizer,
  format: ({ format }) => format,
  finished: ({ isFinished }) => isFinished,
  step: ({ step }) => step,
  steps: ({ steps }) => steps,
  validationLoss: ({ validation }) => validation?.loss,
  validationAccuracy: ({ validation }) => validation?.accuracy,
  bestValidationLoss: ({ best }) => best?.loss,
  bestValidationAccuracy: ({ best }) => best?.accuracy,
  bestStep: ({ best }) => best?.step,
  testLoss: ({ test }) => test?.loss,
  testAccuracy: ({ test }) => test?.accuracy,
  seconds: ({ seconds }) => seconds,
  peakMemoryBytes: ({ peakMemoryBytes }) => peakMemoryBytes,
};

/** A line per optimizer and run, with the differing keys as further columns. */
function comparisonCsv({ trials, differences }: Comparison): string {
  const keys = differences.map(({ key }) => key);
  const rows = trials.map((trial, index) => [
    ...Object.values(values).map((value) => value(trial)),
    ...differences.map((difference) => csvValue(difference.values[index])),
  ]);
  return csv([...Object.keys(values), ...keys], rows);
}

function csvValue(value: unknown): CsvValue {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as CsvValue);
}
