import type { MetricsLine } from '@lmd/training/node';

/** One optimizer of a run in progress. */
export interface TrialState {
  readonly optimizer: string;
  readonly isDone: boolean;
  readonly step: number;
  readonly steps: number;
  /** Training loss of every step. */
  readonly losses: readonly number[];
  /** Of each validation. */
  readonly validation: readonly { readonly step: number; readonly loss: number; readonly accuracy: number }[];
  readonly examplesPerSecond: number;
  readonly secondsLeft: number;
}

/** The speed is that of the last seconds of training. */
const window = 10;

/** The state of an optimizer from its lines of metrics. */
export function trialState(
  optimizer: string,
  isDone: boolean,
  steps: number,
  lines: readonly MetricsLine[],
): TrialState {
  const trained = lines.flatMap((line) => (line.type === 'step' ? [line] : []));
  const validation = lines.flatMap((line) => (line.type === 'evaluation' && line.split === 'validation' ? [line] : []));
  const last = trained.at(-1);
  const recent = last === undefined ? [] : trained.filter(({ seconds }) => last.seconds - seconds <= window);
  const first = recent[0];
  const seconds = last === undefined || first === undefined ? 0 : last.seconds - first.seconds;
  const examples = recent.slice(1).reduce((sum, { samples }) => sum + samples, 0);
  const step = last?.step ?? 0;
  return {
    optimizer,
    isDone,
    step,
    steps,
    losses: trained.map(({ loss }) => loss),
    validation: validation.map(({ step: at, loss, accuracy }) => ({ step: at, loss, accuracy })),
    examplesPerSecond: seconds > 0 ? examples / seconds : 0,
    // Evaluations included, as in `lmd train`.
    secondsLeft: last === undefined ? 0 : (last.seconds / last.step) * (steps - step),
  };
}
