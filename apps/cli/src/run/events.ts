import type { CheckpointEvent, EndEvent, EvaluationEvent, StartEvent, StepEvent, WarningEvent } from '@lmd/training';
import type { TrialResult } from './types.js';

/** What `@lmd/training` announces and `lmd` passes on, as plain data. */
export type TrialEvent = StartEvent | StepEvent | EvaluationEvent | CheckpointEvent | WarningEvent | EndEvent;

/** First line of `--json`. */
export interface RunEvent {
  readonly type: 'run';
  readonly name: string;
  readonly runFolder: string;
  readonly resumed: boolean;
  readonly optimizers: readonly string[];
  readonly format: string;
  /** What an example is, in the plural: `images` or `sequences`. */
  readonly examples: string;
  readonly steps: number;
}

/** A rule's part is done; `skipped` when an earlier part of the run had finished it. */
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
 * Every line of `lmd train --json`. Those of one rule name it in `optimizer`; `rule` is the optimizer as training calls
 * it.
 */
export type Event =
  | RunEvent
  | (TrialEvent & { readonly optimizer: string; readonly rule?: string })
  | ResultEvent
  | SummaryEvent;

export type Emit = (event: Event) => void;
