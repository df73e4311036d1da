import type { CheckpointEvent, EndEvent, EvaluationEvent, StartEvent, StepEvent, WarningEvent } from '@lmd/training';
import type { TrialResult } from './types.js';

/** Progress of what takes long beside the steps: set-up, validation and test. Shown on a terminal only. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly what: string;
  /** Examples so far, of `total`; absent where their number is not known. */
  readonly done?: number;
  readonly total?: number;
}

/** Events of `@lmd/training` that `lmd` forwards, as plain data, and its own progress. */
export type TrialEvent =
  | StartEvent
  | StepEvent
  | EvaluationEvent
  | CheckpointEvent
  | WarningEvent
  | EndEvent
  | ProgressEvent;

/** First line of `--json`. */
export interface RunEvent {
  readonly type: 'run';
  readonly name: string;
  readonly runFolder: string;
  readonly resumed: boolean;
  readonly optimizers: readonly string[];
  readonly format: string;
  /** Name of the examples, in the plural: `images` or `sequences`. */
  readonly examples: string;
  readonly steps: number;
}

/** An optimizer has finished. `skipped`: it had already finished before this resume. */
export interface ResultEvent extends TrialResult {
  readonly type: 'result';
  readonly skipped: boolean;
}

/** Last line of `--json`. */
export interface SummaryEvent {
  readonly type: 'summary';
  readonly runFolder: string;
  readonly results: readonly TrialResult[];
}

/**
 * Every line of `lmd train --json`. Events of one optimizer have its name in the configuration as `optimizer`. `rule`
 * is the name that `@lmd/training` uses.
 */
export type Event =
  | RunEvent
  | (TrialEvent & { readonly optimizer: string; readonly rule?: string })
  | ResultEvent
  | SummaryEvent;

export type Emit = (event: Event) => void;
