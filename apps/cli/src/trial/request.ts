import type { Configuration } from '../configuration/schema.js';
import type { SerializedError } from '../errors.js';
import type { TrialEvent } from '../run/events.js';
import type { TrialResult } from '../run/types.js';

/** One rule's part of a run, as plain data: it crosses to a child process unchanged. */
export interface TrialRequest {
  readonly configuration: Configuration;
  /** Index into `configuration.optimizers`. */
  readonly index: number;
  /** Where its checkpoints and results go. */
  readonly folder: string;
  /** Of the cpu backend; by default all that the machine has. They change no bit of the result. */
  readonly threads?: number;
}

/**
 * How a trial ended, if not by an error: with a result, or interrupted: with a checkpoint, or during set-up, which has
 * no step.
 */
export type TrialOutcome =
  | { readonly status: 'finished'; readonly result: TrialResult }
  | { readonly status: 'interrupted'; readonly step?: number };

/**
 * Runs one trial to its end, in this process or another. Aborting the signal ends it after the step, with a checkpoint.
 */
export type TrialHost = (
  request: TrialRequest,
  emit: (event: TrialEvent) => void,
  signal: AbortSignal,
) => Promise<TrialOutcome>;

export type ToChild = { readonly type: 'run'; readonly request: TrialRequest } | { readonly type: 'stop' };

export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'event'; readonly event: TrialEvent }
  | { readonly type: 'outcome'; readonly outcome: TrialOutcome }
  | { readonly type: 'error'; readonly error: SerializedError };
