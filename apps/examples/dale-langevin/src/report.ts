import { readFile } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { html, markdownTable, page, type Table, tableInPage, tableOf } from '@lmd/report';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { Judgement } from './classifier.js';
import type { compareSamples } from './mixture-check.js';
import type { CommandOptions } from './options.js';
import type { SamplerOptions } from './samplers.js';

export interface Results {
  readonly options: Omit<CommandOptions, 'rule'> & { readonly sampler: SamplerOptions };
  readonly parameters: number;
  /** Of the last step. */
  readonly loss: number;
  readonly secondsPerStep: number;
  readonly samplingSeconds: number;
  readonly peakMemoryBytes: number;
  readonly date: string;
  readonly machine: string;
  readonly logMean: number;
  readonly logDeviation: number;
  readonly classified?: { readonly accuracy: number; readonly rows: { readonly [name: string]: Judgement } };
  readonly mixture?: ReturnType<typeof compareSamples> & {
    readonly times: readonly number[];
    readonly errors: readonly number[];
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const fixed = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(' ');

function tablesOf({ classified, mixture }: Results): Table[] {
  if (classified !== undefined) {
    const titles = ['pictures', 'number', 'mean confidence', 'confidence > 0.9', 'classes 0 … 9', 'effective classes'];
    const rows = Object.entries(classified.rows).map(([name, row]) => [
      name,
      String(row.pictures),
      percent(row.confidence),
      percent(row.confident),
      row.counts.join(' '),
      row.effectiveClasses.toFixed(1),
    ]);
    return [tableOf(titles, rows)];
  }
  if (mixture === undefined) return [];
  const rows = [
    ['mean of log x', fixed(mixture.samples.mean), fixed(mixture.drawn.mean)],
    ['standard deviation of log x', fixed(mixture.samples.deviation), fixed(mixture.drawn.deviation)],
  ];
  return [
    tableOf(['time', ...mixture.times.map(String)], [['relative error of the score', ...mixture.errors.map(percent)]]),
    tableOf(['', 'samples', 'draws of the mixture'], rows),
  ];
}

function caption(results: Results): string {
  const { options, parameters, classified, mixture } = results;
  const { rule, levels, inner } = options.sampler;
  return [
    `${options.data}: ${options.optimizer}, ${options.steps} steps of ${options.batchSize}, ${options.precision}, seed ${options.seed};`,
    `${parameters} parameters; last loss ${results.loss.toFixed(4)}.`,
    `Sampler: ${rule}, ${levels} levels, ${inner} inner.`,
    classified === undefined ? '' : `The classifier is right on ${percent(classified.accuracy)} of the test pictures.`,
    mixture === undefined ? '' : `Energy test: p = ${mixture.pValue.toFixed(3)}.`,
    `${results.secondsPerStep.toFixed(3)} s a step, ${results.samplingSeconds.toFixed(0)} s of sampling,`,
    `${(results.peakMemoryBytes / 2 ** 20).toFixed(0)} MiB of tensors at the most.`,
    `${results.date}, ${results.machine}.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** The results as Markdown, also for the terminal. */
export function resultsTable(results: Results): string {
  const lines = caption(results)
    .replace(/(.{1,119})(?: |$)/g, '$1\n')
    .trimEnd();
  return [...tablesOf(results).map(markdownTable), lines].join('\n\n');
}

/** A self-contained page with the samples and the tables. */
export function reportPage(results: Results, grid: Buffer): string {
  const title = `Multiplicative denoising diffusion: ${results.options.data}`;
  return page(
    title,
    html`<header><h1>${title}</h1><p class="lead">${caption(results)}</p></header>
<section><h2>Samples</h2><img alt="grid of samples" src="data:image/png;base64,${grid.toString('base64')}"></section>
<section><h2>Results</h2>${tablesOf(results).map((table) => tableInPage(table))}</section>`,
  );
}

/** Writes the table between the markers of its data and optimizer in a Markdown page. */
export async function writeReadme(path: string, results: Results): Promise<void> {
  const text = await readFile(path, 'utf8');
  const { data, optimizer } = results.options;
  const [begin, end] = [`<!-- results: ${data} ${optimizer} -->`, '<!-- /results -->'];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) {
    throw new LmdError('INVALID_ARGUMENT', `${path} has no markers ${begin} and ${end}.`, {
      subject: 'readme',
      value: path,
      remedy: 'Add both markers where the table belongs.',
    });
  }
  await writeFileAtomic(path, `${text.slice(0, from)}${begin}\n${resultsTable(results)}\n${text.slice(to)}`);
}
