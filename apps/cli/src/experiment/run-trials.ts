import { setMaxListeners } from 'node:events';
import { mkdir, rmdir } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { lockRun } from '@lmd/training/node';
import { secondsPerWork, type WorkUnit, workOf } from './estimate.js';
import { LedgerWriter, ledgerPaths, readLedger } from './ledger/ledger.js';
import type { LedgerRecord } from './ledger/record.js';
import type { Progress, ProgressState } from './progress.js';
import type { RecordedResult } from './result.js';
import { workFolders } from './run-trial.js';
import type { PlannedTrial } from './trial.js';
import type { TrialRunner } from './trial-runner.js';

/** Results in the ledger, by the hash of the configuration. */
export type Results = ReadonlyMap<string, RecordedResult>;

export interface RunTrialsOptions<T extends PlannedTrial> {
  /** What runs, for messages: `study`, `search`. */
  readonly what: string;
  /** The next trials to run: those that are not in the results and do not depend on others that are not. */
  pending(results: Results): readonly T[];
  /** All trials, as far as the results determine them. */
  planned(results: Results): readonly T[];
  /** Called once with the results of the ledger, before any trial runs. May throw. */
  check?(results: Results): void;
  /** The unit of work of the time estimate. */
  readonly unit: WorkUnit;
  /** Seconds per unit before any trial has been timed. */
  readonly secondsPerUnit?: number | undefined;
  /** The folder of the ledger. */
  readonly out: string;
  /** Runs the trials: on this machine (`localRunner`), or on those of a server (`clusterRunner`). */
  readonly runner: TrialRunner;
  /**
   * Aborting it stops the running trials after their step, with a checkpoint, and the run with `INTERRUPTED`. Finished
   * trials are in the ledger.
   */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Results by the hash of the configuration. The first record of a trial counts. */
export function resultsOf(records: readonly LedgerRecord[]): Map<string, RecordedResult> {
  const results = new Map<string, RecordedResult>();
  for (const { hash, result } of records) if (!results.has(hash)) results.set(hash, result);
  return results;
}

/**
 * Runs the missing trials of a plan, and appends each result to the ledger, where it counts once. It can be killed at
 * any time. The next call resumes with the first trial that is missing in the ledger.
 *
 * @returns number of trials that ran.
 * @throws LmdError `RUN_LOCKED` if another process runs in that folder; `INTERRUPTED`; `DATA_CORRUPT` for an unreadable
 *   ledger; and errors of a trial. Divergence is not an error.
 */
export async function runTrials<T extends PlannedTrial>(options: RunTrialsOptions<T>): Promise<number> {
  const { out } = options;
  await mkdir(out, { recursive: true });
  const lock = await lockRun(out);
  try {
    const loaded = await readLedger(out);
    const writer = await LedgerWriter.open(ledgerPaths(out).open, loaded);
    try {
      if (writer.recovered > 0) {
        options.progress.say(
          `Removed an incomplete last line of ${writer.recovered} bytes from the ledger; its trial runs again.`,
        );
      }
      return await new Runner(options, loaded.records, writer).run();
    } finally {
      await writer.close();
    }
  } finally {
    await lock.release();
  }
}

class Runner<T extends PlannedTrial> {
  readonly #options: RunTrialsOptions<T>;
  readonly #writer: LedgerWriter;
  readonly #results: Map<string, RecordedResult>;
  readonly #own: LedgerRecord[] = [];
  /** Trials that were given to the runner; without a step until it has begun. */
  readonly #running = new Map<string, { readonly trial: T; step: number | undefined }>();
  readonly #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: RunTrialsOptions<T>, records: readonly LedgerRecord[], writer: LedgerWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#results = resultsOf(records);
  }

  async run(): Promise<number> {
    const { signal, check } = this.#options;
    check?.(this.#results);
    this.#options.runner.start?.(this.#results);
    const stop = () => this.#stop.abort();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    // All trials that wait for a worker listen.
    setMaxListeners(0, this.#stop.signal);
    try {
      await this.#work();
      if (signal.aborted) {
        const { what } = this.#options;
        const own = this.#own.length;
        const trials = own === 1 ? 'trial of this run is' : 'trials of this run are';
        throw new LmdError('INTERRUPTED', `Stopped; ${own} ${trials} in the ledger.`, {
          subject: ledgerPaths(this.#options.out).open,
          remedy: `Run the same command to resume the ${what}.`,
        });
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      return this.#own.length;
    } finally {
      signal.removeEventListener('abort', stop);
      // It is kept where a trial has been stopped, which its checkpoint resumes.
      await rmdir(workFolders(this.#options.out)).catch(() => {});
    }
  }

  /** Runs trials until all are finished, or one has failed. */
  async #work(): Promise<void> {
    const { runner, pending } = this.#options;
    const begun: Promise<void>[] = [];
    while (!this.#stop.signal.aborted) {
      const open = pending(this.#results).filter(({ hash }) => !this.#running.has(hash));
      for (const trial of open.slice(0, runner.capacity - this.#running.size)) begun.push(this.#settleOne(trial));
      if (this.#running.size === 0) break;
      // Trials in progress may be the last of the search, after which more trials follow.
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    await Promise.all(begun);
  }

  #wake: () => void = () => {};

  async #settleOne(trial: T): Promise<void> {
    this.#running.set(trial.hash, { trial, step: undefined });
    try {
      await this.#runOne(trial);
    } catch (error) {
      // One failure stops the others, which would fail too. Their errors are a consequence and are ignored.
      this.#failure ??= { error };
      this.#stop.abort();
    } finally {
      this.#running.delete(trial.hash);
      this.#wake();
    }
  }

  async #runOne(trial: T): Promise<void> {
    const { progress, runner } = this.#options;
    const { hash, label, configuration } = trial;
    const entry = this.#running.get(hash)!;
    const { finished, provenance, settle } = await runner.run(trial, {
      signal: this.#stop.signal,
      onStep: (step) => {
        entry.step = step;
        if (progress.terminal) progress.running(this.#state());
      },
    });
    const record: LedgerRecord = { hash, label, configuration, ...finished, ...provenance };
    await this.#writer.append(record);
    await settle();
    this.#results.set(hash, finished.result);
    this.#own.push(record);
    this.#running.delete(hash);
    progress.finished({ trial, result: finished.result, state: this.#state() });
  }

  /**
   * The plan changes only with the results. Hashing hundreds of configurations for every progress line would be slow.
   */
  #planned: { readonly trials: readonly T[]; readonly results: number } | undefined;

  #state(): ProgressState {
    const { planned, unit, secondsPerUnit, runner } = this.#options;
    const results = this.#results.size;
    if (this.#planned?.results !== results) this.#planned = { trials: planned(this.#results), results };
    const { trials } = this.#planned;
    const left = trials.filter(({ hash }) => !this.#results.has(hash));
    const work = left.reduce((sum, { hash, configuration, steps }) => {
      const step = this.#running.get(hash)?.step ?? 0;
      return sum + workOf(configuration, unit) * (1 - step / steps);
    }, 0);
    const seconds = secondsPerWork(unit, this.#own) ?? secondsPerUnit;
    return {
      done: trials.length - left.length,
      total: trials.length,
      secondsLeft: seconds === undefined ? undefined : (work * seconds) / Math.max(1, runner.parallel()),
      running: [...this.#running.values()].flatMap(({ trial, step }) => (step === undefined ? [] : [{ trial, step }])),
    };
  }
}
