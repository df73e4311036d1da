import { existsSync } from 'node:fs';
import { type MetricsLine, readMetrics } from '@lmd/training/node';
import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';
import type { Configuration } from '../configuration/schema.js';
import { readTrialSummary, type TrialSummary } from '../trial/summary.js';
import { runLayout } from './layout.js';
import { configurationOf } from './run.js';

/** What the folder of one optimizer of a run has so far. */
export interface RecordedTrial {
  readonly optimizer: OptimizerConfiguration;
  readonly status: 'not begun' | 'unfinished' | 'done';
  /** The last step in the metrics. */
  readonly step: number;
  readonly lines: readonly MetricsLine[];
  /** Present when done. */
  readonly summary: TrialSummary | undefined;
}

export interface RecordedRun {
  readonly folder: string;
  readonly configuration: Configuration;
  readonly trials: readonly RecordedTrial[];
}

/**
 * Reads a run folder, finished or not.
 *
 * @throws UsageError if it is not a run folder; LmdError `DATA_CORRUPT` for a damaged file.
 */
export async function readRun(folder: string): Promise<RecordedRun> {
  const configuration = configurationOf(folder);
  const trials: RecordedTrial[] = [];
  for (const optimizer of configuration.optimizers) {
    const layout = runLayout(folder).trial(optimizer.name);
    const lines = existsSync(layout.metrics) ? await readMetrics(layout.metrics) : [];
    const step = lines.filter(({ type }) => type === 'step').at(-1)?.step ?? 0;
    const summary = readTrialSummary(layout.folder);
    const status = summary !== undefined ? 'done' : step > 0 ? 'unfinished' : 'not begun';
    trials.push({ optimizer, status, step, lines, summary });
  }
  return { folder, configuration, trials };
}
