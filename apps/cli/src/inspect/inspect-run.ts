import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { runLayout } from '../run/layout.js';
import { curveOf } from '../run/metrics.js';
import { type RecordedTrial, readRun } from '../run/read-run.js';
import type { TrialResult } from '../run/types.js';

export interface TrialInspection {
  readonly optimizer: string;
  readonly rule: string;
  /** Format of the forward pass. */
  readonly format: string;
  readonly status: RecordedTrial['status'];
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
  const { configuration, trials } = await readRun(runFolder);
  const optimizers: TrialInspection[] = [];
  for (const { optimizer, status, step, lines, summary } of trials) {
    const { name, rule } = optimizer;
    const { checkpoints } = runLayout(runFolder).trial(name);
    const { train, validationAccuracy } = curveOf(name, lines);
    const accuracy = validationAccuracy.at(-1);
    optimizers.push({
      optimizer: name,
      rule,
      format: precisionOf(configuration, optimizer),
      status,
      step,
      steps: configuration.steps,
      losses: train.map(({ y }) => y),
      ...(accuracy === undefined ? {} : { validationAccuracy: accuracy.y }),
      checkpoints: existsSync(checkpoints)
        ? (await readdir(checkpoints)).filter((file) => file.endsWith('.safetensors')).sort()
        : [],
      ...(summary === undefined ? {} : { result: summary.result }),
    });
  }
  return { type: 'run', runFolder, configuration, optimizers };
}
