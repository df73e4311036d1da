import { basename } from 'node:path';
import { type Difference, differences } from '../configuration/differences.js';
import { precisionOf } from '../configuration/schema.js';
import type { Curve } from '../report/curves.js';
import { curveOf } from '../run/metrics.js';
import type { RecordedRun, RecordedTrial } from '../run/read-run.js';
import { shortPath } from '../run/run.js';

/** One evaluation: mean cross-entropy in nats, and accuracy. */
export interface Evaluated {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** One optimizer of one run. */
export interface ComparedTrial {
  /** The run's folder name, or its path if two have the same name. */
  readonly run: string;
  readonly runFolder: string;
  readonly optimizer: string;
  readonly format: string;
  readonly isFinished: boolean;
  readonly isText: boolean;
  readonly step: number;
  readonly steps: number;
  /** The last validation, and the one with the lowest loss. */
  readonly validation: Evaluated | undefined;
  readonly best: Evaluated | undefined;
  readonly test: Evaluated | undefined;
  /** Training and evaluation; of an unfinished one up to its last line of metrics. */
  readonly seconds: number | undefined;
  readonly peakMemoryBytes: number | undefined;
}

export interface Comparison {
  readonly trials: readonly ComparedTrial[];
  /** One for each trial. */
  readonly curves: readonly Curve[];
  /** Keys of the configurations that differ, with the value of each trial. */
  readonly differences: readonly Difference[];
  readonly isSameData: boolean;
  readonly isSameModel: boolean;
}

/** Keys that identify a run, or are for editors, and do not affect a result. */
const ignored = ['name', '$schema', 'optimizer.name'];

/** Compares the optimizers of one or more runs. */
export function compareRuns(runs: readonly RecordedRun[]): Comparison {
  const labels = labelsOf(runs.map(({ folder }) => folder));
  const found = runs.flatMap((run, index) => run.trials.map((trial) => ({ run, trial, label: labels[index]! })));
  const all = differences(found.map(({ run, trial }) => ownConfiguration(run, trial)));
  const changed = all.filter(({ key }) => !ignored.includes(key));
  const trials = found.map(({ run, trial, label }) => comparedTrial(run, trial, label));
  return {
    trials,
    curves: found.map(({ trial }, index) => curveOf(trialTitle(trials[index]!, trials), trial.lines)),
    differences: changed,
    isSameData: !isPartOf(changed, 'data') && !isPartOf(changed, 'dataSeed'),
    isSameModel: !isPartOf(changed, 'model'),
  };
}

/** Name of a trial in charts and tables: the run, and the optimizer where runs have several. */
export function trialTitle({ run, optimizer }: ComparedTrial, trials: readonly ComparedTrial[]): string {
  const runs = new Set(trials.map((trial) => trial.run));
  if (runs.size === 1) return optimizer;
  return runs.size === trials.length ? run : `${run} ${optimizer}`;
}

function labelsOf(folders: readonly string[]): string[] {
  const names = folders.map((folder) => basename(folder));
  return names.map((name, index) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : shortPath(folders[index]!),
  );
}

function ownConfiguration({ configuration }: RecordedRun, { optimizer }: RecordedTrial): object {
  const { optimizers: _, precision: __, ...shared } = configuration;
  const { precision: ___, ...own } = optimizer;
  return { ...shared, precision: precisionOf(configuration, optimizer), optimizer: own };
}

function comparedTrial({ folder, configuration }: RecordedRun, trial: RecordedTrial, run: string): ComparedTrial {
  const { optimizer, status, step, lines, summary } = trial;
  const evaluations = lines.flatMap((line) => (line.type === 'evaluation' ? [line] : []));
  const validations = evaluations.filter(({ split }) => split === 'validation').map(evaluated);
  const tests = evaluations.filter(({ split }) => split === 'test').map(evaluated);
  const finite = validations.filter(({ loss }) => Number.isFinite(loss));
  return {
    run,
    runFolder: folder,
    optimizer: optimizer.name,
    format: precisionOf(configuration, optimizer),
    isFinished: status === 'done',
    isText: configuration.model.kind === 'gpt2',
    step,
    steps: configuration.steps,
    validation: validations.at(-1),
    best: finite.reduce<Evaluated | undefined>(
      (best, next) => (best === undefined || next.loss < best.loss ? next : best),
      undefined,
    ),
    test: tests.at(-1),
    seconds: summary?.result.seconds ?? lastSeconds(lines),
    peakMemoryBytes: summary?.result.peakMemoryBytes,
  };
}

function lastSeconds(lines: RecordedTrial['lines']): number | undefined {
  return lines.flatMap((line) => ('seconds' in line ? [line.seconds] : [])).at(-1);
}

function evaluated({ step, loss, accuracy }: Evaluated): Evaluated {
  return { step, loss, accuracy };
}

function isPartOf(changed: readonly Difference[], part: string): boolean {
  return changed.some(({ key }) => key === part || key.startsWith(`${part}.`));
}

/** What makes the results not directly comparable. */
export function notesOf({ isSameData, isSameModel }: Comparison): string[] {
  return [
    ...(isSameData ? [] : ['The runs use different data: their losses and accuracies are not directly comparable.']),
    ...(isSameModel ? [] : ['The runs train different models.']),
  ];
}
