import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { readMetrics } from '@lmd/training/node';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { runLayout } from '../run/layout.js';
import { curveOf } from '../run/metrics.js';
import { configurationOf } from '../run/run.js';
import type { TrialResult } from '../run/types.js';
import { readTrialSummary } from '../trial/summary.js';

export interface TrialInspection {
  readonly optimizer: string;
  readonly rule: string;
  /** Format of the forward pass. */
  readonly format: string;
  readonly status: 'not begun' | 'unfinished' | 'done';
  /** The last step in the metrics. */
  readonly step: number;
  readonly steps: number;
  /** Training loss by step. */
  readonly losses: readonly number[];
  readonly validationAccuracy?: number;
  readonly checkpoints: readonly string[];
  /** Present when done. */
  readonly result?: TrialResult;
}

export interface RunInspection {
  readonly type: 'run';
  readonly runFolder: string;
  readonly configuration: Configuration;
  readonly optimizers: readonly TrialInspection[];
}

/** Summarizes a run folder: the progress, results and checkpoints of each optimizer. */
export async function inspectRun(runFolder: string): Promise<RunInspection> {
  const configuration = configurationOf(runFolder);
  const optimizers: TrialInspection[] = [];
  for (const optimizer of configuration.optimizers) {
    const { name, rule } = optimizer;
    const layout = runLayout(runFolder).trial(name);
    const lines = existsSync(layout.metrics) ? await readMetrics(layout.metrics) : [];
    const { train, validationAccuracy } = curveOf(name, lines);
    const summary = readTrialSummary(layout.folder);
    const accuracy = validationAccuracy.at(-1);
    optimizers.push({
      optimizer: name,
      rule,
      format: precisionOf(configuration, optimizer),
      status: summary !== undefined ? 'done' : train.length > 0 ? 'unfinished' : 'not begun',
      step: train.at(-1)?.x ?? 0,
      steps: configuration.steps,
      losses: train.map(({ y }) => y),
      ...(accuracy === undefined ? {} : { validationAccuracy: accuracy.y }),
      checkpoints: existsSync(layout.checkpoints)
        ? (await readdir(layout.checkpoints)).filter((name) => name.endsWith('.safetensors')).sort()
        : [],
      ...(summary === undefined ? {} : { result: summary.result }),
    });
  }
  return { type: 'run', runFolder, configuration, optimizers };
}
