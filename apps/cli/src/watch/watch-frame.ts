import type { Colours } from '../output/colours.js';
import { plot } from '../output/plot.js';
import { progressLine } from '../output/progress-line.js';
import { grouped, sparkline } from '../output/sparkline.js';
import { percent } from '../output/units.js';
import type { TrialState } from './trial-state.js';

/** A run in progress, as far as its folder says. */
export interface WatchedRun {
  readonly name: string;
  /** `images` or `sequences`. */
  readonly examples: string;
  readonly trials: readonly TrialState[];
  /** Whether a process writes to the run. */
  readonly isRunning: boolean;
}

const plotHeight = 6;
const widestPlot = 72;

/** The optimizer that trains, or was last trained. */
export function currentTrial({ trials }: WatchedRun): TrialState | undefined {
  return trials.find(({ isDone, step }) => !isDone && step > 0) ?? trials.filter(({ step }) => step > 0).at(-1);
}

/** The lines of the display, at most `columns` wide. */
export function watchFrame(run: WatchedRun, columns: number, colours: Colours): string[] {
  const current = currentTrial(run);
  const title = `${run.name}: ${statusOf(run)}`;
  return [
    colours.bold(title.slice(0, columns)),
    ...run.trials.map((trial) => trialLine(trial, run.examples, columns)),
    ...(current === undefined ? [] : ['', ...lossPlot(current, columns, colours), ...accuracyLine(current, columns)]),
  ];
}

/** `training`, `finished`, `stopped`, `not begun`. */
export function statusOf({ trials, isRunning }: WatchedRun): string {
  if (trials.every(({ isDone }) => isDone)) return 'finished';
  if (isRunning) return 'training';
  return trials.some(({ step }) => step > 0) ? 'stopped' : 'not begun';
}

/** One optimizer on a line. */
export function trialLine(trial: TrialState, examples: string, columns: number): string {
  const { optimizer, isDone, step, losses, validation } = trial;
  if (step === 0) return `${optimizer}  ${isDone ? 'done' : 'waits'}`.slice(0, columns);
  const loss = losses.at(-1)!;
  if (!isDone) return progressLine({ ...trial, loss, examples }, columns);
  const last = validation.at(-1);
  const result =
    last === undefined ? '' : `  validation accuracy ${percent(last.accuracy)}, loss ${last.loss.toFixed(4)}`;
  return `${optimizer}  done${result}`.slice(0, columns);
}

function lossPlot({ optimizer, losses }: TrialState, columns: number, colours: Colours): string[] {
  const means = grouped(losses, Math.min(widestPlot, columns - 10));
  const finite = means.filter(Number.isFinite);
  if (finite.length === 0) return [];
  const [high, low] = [Math.max(...finite), Math.min(...finite)].map((value) => value.toPrecision(4));
  const labels = new Map([
    [0, high],
    [plotHeight - 1, low],
  ]);
  const drawn = plot(means, plotHeight).map(
    (line, index) => `${colours.dim((labels.get(index) ?? '').padStart(8))} ${colours.cyan(line)}`,
  );
  return [`training loss of ${optimizer}`.slice(0, columns), ...drawn];
}

function accuracyLine({ validation }: TrialState, columns: number): string[] {
  const last = validation.at(-1);
  if (last === undefined) return [];
  const text = `validation after step ${last.step}: accuracy ${percent(last.accuracy)}, loss ${last.loss.toFixed(4)}`;
  const curve = sparkline(
    grouped(
      validation.map(({ accuracy }) => accuracy),
      Math.max(1, columns - text.length - 2),
    ),
  );
  return [`${text}  ${curve}`.slice(0, columns)];
}
