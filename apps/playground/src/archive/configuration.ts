import type { Settings } from '../settings/settings.js';
import { optimizerEntry } from '../training/optimizer.js';
import { interval, runNames } from '../training/session.js';
import type { Task } from '../training/task.js';

/** The configuration of `lmd` for what the page trained, so that the saved file is a run folder of the command. */
export function configurationOf(task: Task, settings: Settings, steps: number): object {
  return {
    name: 'playground',
    seed: settings.seed,
    steps: Math.max(1, steps),
    batchSize: settings.batch,
    precision: settings.runs[0].format,
    data: task.configuration.data,
    model: task.configuration.model,
    optimizers: settings.runs.map((run, n) => {
      const { options, ...entry } = optimizerEntry(run, task, runNames[n]!);
      return { ...entry, ...options, schedule: { kind: 'constant' } };
    }),
    evaluation: { every: interval },
  };
}
