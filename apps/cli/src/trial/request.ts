import type { RankRequest } from '../cluster/rank.js';
import type { Configuration } from '../configuration/schema.js';
import type { SerializedError } from '../errors.js';
import type { TrialEvent } from '../run/events.js';
import type { TrialResult } from '../run/types.js';

/** The part of a run for one optimizer, as plain data that can be sent to a child process. */
export interface TrialRequest {
  readonly configuration: Configuration;
  /** Index into `configuration.optimizers`. */
  readonly index: number;
  /** Folder of its checkpoints and results. */
  readonly folder: string;
  /** Threads of the cpu backend (default: those of the configuration). Results are bit-identical for any number. */
  readonly threads?: number;
  /** The part of this worker, where several train. */
  readonly rank?: RankRequest;
  /** Whether held-out examples are predicted once more, for the run's report. Default true. */
  readonly report?: boolean;
}

/**
 * How a trial ended without an error: with a result, or interrupted. `step` is absent if it was interrupted during
 * set-up. Of several workers, the first has the result, and the others have followed.
 */
export type TrialOutcome =
  | { readonly status: 'finished'; readonly result: TrialResult }
  | { readonly status: 'followed' }
  | { readonly status: 'interrupted'; readonly step?: number };

/**
 * Runs one trial, in this process or another. Aborting the signal ends it after the current step, with a checkpoint.
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
