import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { UsageError } from '../errors.js';
import { type FileInspection, inspectFile } from '../inspect/inspect-file.js';
import { inspectRun, type RunInspection, type TrialInspection } from '../inspect/inspect-run.js';
import type { TensorSummary } from '../inspect/tensor-summary.js';
import { jsonLine } from '../output/json.js';
import { grouped, sparkline } from '../output/sparkline.js';
import { type Column, renderTable } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { count, decimal, fileSize, percent } from '../output/units.js';
import { renderHistograms } from '../report/histograms.js';

export interface InspectCommandOptions {
  readonly tensor?: string;
  readonly html?: string;
  readonly json?: boolean;
}

const number = (value: number | undefined) => (value === undefined ? '' : decimal(value));

const tensorColumns: readonly Column<TensorSummary>[] = [
  { title: 'tensor', cell: ({ name }) => name },
  { title: 'type', cell: ({ dtype }) => dtype },
  { title: 'shape', cell: ({ shape }) => `[${shape.join(', ')}]` },
  { title: 'size', align: 'right', cell: ({ bytes }) => fileSize(bytes) },
  { title: 'mean', align: 'right', cell: ({ values }) => number(values?.mean) },
  { title: 'deviation', align: 'right', cell: ({ values }) => number(values?.standardDeviation) },
  { title: 'minimum', align: 'right', cell: ({ values }) => number(values?.minimum) },
  { title: 'maximum', align: 'right', cell: ({ values }) => number(values?.maximum) },
  { title: 'kurtosis', align: 'right', cell: ({ values }) => number(values?.excessKurtosis) },
  { title: 'not finite', align: 'right', cell: ({ values }) => (values === undefined ? '' : count(values.notFinite)) },
  { title: 'log |w|', cell: ({ values }) => sparkline(values?.logMagnitude?.histogram.counts ?? []) },
  { title: 'μ', align: 'right', cell: ({ values }) => number(values?.logMagnitude?.mean) },
  { title: 's', align: 'right', cell: ({ values }) => number(values?.logMagnitude?.standardDeviation) },
  { title: 'skewness', align: 'right', cell: ({ values }) => number(values?.logMagnitude?.skewness) },
];

const trialColumns: readonly Column<TrialInspection>[] = [
  { title: 'optimizer', cell: ({ optimizer }) => optimizer },
  { title: 'rule', cell: ({ rule }) => rule },
  { title: 'format', cell: ({ format }) => format },
  { title: 'status', cell: ({ status }) => status },
  { title: 'step', align: 'right', cell: ({ step, steps }) => `${count(step)}/${count(steps)}` },
  { title: 'training loss', cell: ({ losses }) => sparkline(grouped(losses, 24)) },
  { title: 'last', align: 'right', cell: ({ losses }) => losses.at(-1)?.toFixed(4) ?? '' },
  {
    title: 'validation',
    align: 'right',
    cell: ({ validationAccuracy }) => (validationAccuracy === undefined ? '' : percent(validationAccuracy)),
  },
  {
    title: 'test',
    align: 'right',
    cell: ({ result }) => (result?.testAccuracy === undefined ? '' : percent(result.testAccuracy)),
  },
  { title: 'newest checkpoint', cell: ({ checkpoints }) => checkpoints.at(-1) ?? 'none' },
];

/** `lmd inspect`: shows the contents of a run, a checkpoint or a safetensors file. */
export async function inspectCommand(path: string, options: InspectCommandOptions, terminal: Terminal): Promise<void> {
  const found = resolve(path);
  const stat = statSync(found, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new UsageError('INVALID_ARGUMENT', `${path} does not exist.`, {
      subject: 'path',
      value: path,
      remedy: 'Use a run folder, a checkpoint or another safetensors file.',
    });
  }
  if (stat.isDirectory()) showRun(await inspectRun(found), options, terminal);
  else await showFile(await inspectFile(found), options, terminal);
}

function showRun(run: RunInspection, options: InspectCommandOptions, { out, colours }: Terminal): void {
  for (const name of ['tensor', 'html'] as const) {
    if (options[name] === undefined) continue;
    throw new UsageError('INVALID_ARGUMENT', `--${name} needs a file, but ${run.runFolder} is a run.`, {
      subject: `--${name}`,
      value: options[name],
      remedy: 'Use its model.safetensors or one of its checkpoints; its report.html has the plots of the run.',
    });
  }
  if (options.json) {
    out.write(jsonLine(run));
    return;
  }
  const { name, seed, backend, batchSize, data, model } = run.configuration;
  out.write(`${colours.bold(name)}: ${model.kind} on ${data.kind}, seed ${seed}, batches of ${batchSize}, `);
  out.write(
    'on ' +
      `${backend}\n\n${renderTable(trialColumns, run.optimizers, { styleTitle: colours.bold, columns: out.columns })}\n`,
  );
}

async function showFile(
  file: FileInspection,
  options: InspectCommandOptions,
  { out, colours }: Terminal,
): Promise<void> {
  const tensors = choose(file, options.tensor);
  if (options.html !== undefined) await writeFileAtomic(resolve(options.html), renderHistograms({ ...file, tensors }));
  if (options.json) {
    out.write(jsonLine({ ...file, tensors }));
    return;
  }
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  out.write(`${colours.bold(file.kind)} of ${count(tensors.length)} tensors, ${fileSize(total)}\n`);
  for (const [key, value] of Object.entries(file.metadata)) {
    out.write(`  ${key}: ${value.length > 100 ? `${value.slice(0, 97)}...` : value}\n`);
  }
  out.write(`\n${renderTable(tensorColumns, tensors, { styleTitle: colours.bold, columns: out.columns })}\n`);
  if (options.html !== undefined) out.write(`\nPlots: ${options.html}\n`);
}

function choose(file: FileInspection, part: string | undefined): readonly TensorSummary[] {
  const tensors = part === undefined ? file.tensors : file.tensors.filter(({ name }) => name.includes(part));
  if (tensors.length > 0 || part === undefined) return tensors;
  throw new UsageError('INVALID_ARGUMENT', `--tensor ${JSON.stringify(part)} matches no tensor of ${file.path}.`, {
    subject: '--tensor',
    value: part,
    remedy: `Its names are, for example, ${file.tensors
      .slice(0, 3)
      .map(({ name }) => name)
      .join(', ')}.`,
  });
}
