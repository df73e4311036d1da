import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { toJson } from '@lmd/training';
import { metricsCsvColumns, metricsCsvRow } from '@lmd/training/node';
import type { Configuration } from '../configuration/schema.js';
import { jsonLine } from '../output/json.js';
import { posteriorSummarySchema } from '../report/posterior-summary.js';
import { predictionsSchema } from '../report/predictions-schema.js';
import { renderReport } from '../report/report.js';
import type { TrialSummary } from '../trial/summary.js';
import { describeDate, describeMachine, describeVersions } from './environment.js';
import { runLayout } from './layout.js';
import { curveOf, metricsOf } from './metrics.js';
import { readStored } from './stored.js';
import type { TrialResult } from './types.js';

const storedRemedy = "Delete it and the optimizer's summary.json, and resume the run, which writes both again.";

/**
 * Joins the metrics of the optimizers into `metrics.jsonl`, and into `metrics.csv` if configured, each line with its
 * optimizer. The files are written atomically.
 */
export async function writeMetrics(folder: string, configuration: Configuration): Promise<void> {
  const layout = runLayout(folder);
  const texts: string[] = [];
  const rows: string[] = [];
  for (const { name } of configuration.optimizers) {
    for (const line of await metricsOf(layout.trial(name).metrics)) {
      texts.push(jsonLine({ optimizer: name, ...line }));
      const row = metricsCsvRow(line);
      if (row !== undefined) rows.push(`${name},${row}\n`);
    }
  }
  await writeFileAtomic(layout.metrics, texts.join(''));
  if (!configuration.logging.includes('csv')) return;
  await writeFileAtomic(layout.metricsCsv, `optimizer,${metricsCsvColumns.join(',')}\n${rows.join('')}`);
}

/** Writes the results of the whole run when every optimizer is done: metrics, model, report, and last the summary. */
export async function writeArtifacts(
  folder: string,
  configuration: Configuration,
  summaries: readonly TrialSummary[],
): Promise<readonly TrialResult[]> {
  const layout = runLayout(folder);
  const results = summaries.map(({ result }) => result);
  const date = new Date();
  await writeMetrics(folder, configuration);
  await writeFileAtomic(layout.model, readFileSync(layout.trial(configuration.optimizers[0]!.name).model));
  const posteriors = configuration.optimizers
    .map(({ name }) => layout.trial(name).posterior)
    .filter((path) => existsSync(path))
    .map((path) => readStored(path, posteriorSummarySchema, storedRemedy));
  const predictions = configuration.optimizers
    .map(({ name }) => layout.trial(name).predictions)
    .filter((path) => existsSync(path))
    .map((path) => readStored(path, predictionsSchema, storedRemedy));
  const texts = summaries.flatMap(({ result, samples = [] }) =>
    samples.map((sample) => ({ optimizer: result.optimizer, ...sample })),
  );
  const { device, model, parameters, data, preprocessing } = summaries[0]!;
  const environment = {
    date: describeDate(date),
    machine: describeMachine(),
    node: process.versions.node,
    device,
    model: `${model}, ${parameters.toLocaleString('en-GB')} parameters`,
    data,
    ...(preprocessing === undefined ? {} : { preprocessing }),
    versions: describeVersions(),
  };
  const curves = await Promise.all(
    configuration.optimizers.map(async ({ name }) => curveOf(name, await metricsOf(layout.trial(name).metrics))),
  );
  await writeFileAtomic(
    layout.report,
    renderReport({ configuration, results, curves, posteriors, predictions, texts, environment }),
  );
  const summary = { name: configuration.name, seed: configuration.seed, environment, results };
  await writeFileAtomic(layout.summary, `${toJson(summary, 2)}\n`);
  return results;
}
