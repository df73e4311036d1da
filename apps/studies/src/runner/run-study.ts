import { mkdir } from 'node:fs/promises';
import { inChildProcess, type TrialHost, UsageError } from '@lmd/cli';
import { LmdError } from '@lmd/core';
import { lockRun } from '@lmd/training/node';
import { LedgerWriter, ledgerPaths, readLedger } from '../ledger/ledger.js';
import { describeEnvironment } from '../ledger/provenance.js';
import type { LedgerRecord } from '../ledger/record.js';
import { type Plan, type PlanOptions, pendingTrials, planStudy } from '../plan/plan.js';
import type { PartName, Study } from '../study/schema.js';
import type { TrialResult } from '../trial/result.js';
import { runTrial, workFolder } from '../trial/run-trial.js';
import type { Trial } from '../trial/trial.js';
import { secondsPerWork, workOf } from './estimate.js';
import type { Progress, ProgressState } from './progress.js';

export interface RunStudyOptions {
  readonly study: Study;
  /** Folder of the data, overrides that of the study. */
  readonly data?: string | undefined;
  /** The folder of the ledger. */
  readonly out: string;
  /** Number of parallel trials. */
  readonly parallel: number;
  /** Threads of each trial. */
  readonly threads: number;
  readonly only?: PartName | undefined;
  /** Path of the `lmd` command, which runs the trials. */
  readonly program: string;
  /**
   * Aborting it stops the running trials after their step, with a checkpoint, and the run with `INTERRUPTED`. Finished
   * trials are in the ledger.
   */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Results by the hash of the configuration. The first record of a trial counts. */
export function resultsOf(records: readonly LedgerRecord[]): Map<string, TrialResult> {
  const results = new Map<string, TrialResult>();
  for (const { hash, result } of records) if (!results.has(hash)) results.set(hash, result);
  return results;
}

/**
 * Runs the missing trials of a study, each in a separate process, and appends each result to the ledger. It can be
 * killed at any time. The next call resumes with the first trial that is missing in the ledger.
 *
 * @returns number of trials that ran.
 * @throws LmdError `RUN_LOCKED` if another process runs the study in that folder; `INTERRUPTED`; `DATA_CORRUPT` for an
 *   unreadable ledger; and errors of a trial. Divergence is not an error.
 */
export async function runStudy(options: RunStudyOptions): Promise<number> {
  const { out, study } = options;
  if (study.frozen !== undefined) {
    throw new UsageError('INVALID_ARGUMENT', `The study ${study.name} is frozen: ${study.frozen}`, {
      subject: 'frozen',
      value: study.name,
      remedy: 'To run it again, remove `frozen` from a copy of the study and use another folder with --out.',
    });
  }
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

class Runner {
  readonly #options: RunStudyOptions;
  readonly #writer: LedgerWriter;
  readonly #results: Map<string, TrialResult>;
  readonly #host: TrialHost;
  readonly #own: LedgerRecord[] = [];
  readonly #running = new Map<string, { trial: Trial; step: number }>();
  readonly #environment = describeEnvironment();
  readonly #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: RunStudyOptions, records: readonly LedgerRecord[], writer: LedgerWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#results = resultsOf(records);
    this.#host = inChildProcess(options.program);
  }

  async run(): Promise<number> {
    const { signal, parallel, only } = this.#options;
    if (only !== undefined && only !== 'search' && planStudy(this.#plan()).provisional) {
      throw new UsageError('INVALID_ARGUMENT', `--only ${only} depends on the search, which is not complete.`, {
        subject: '--only',
        value: only,
        remedy: 'Run --only search first, or all parts.',
      });
    }
    const stop = () => this.#stop.abort();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const workers = Array.from({ length: parallel }, () => this.#work());
      await Promise.allSettled(workers);
      if (signal.aborted) {
        throw new LmdError('INTERRUPTED', `Stopped; ${this.#own.length} trials of this run are in the ledger.`, {
          subject: ledgerPaths(this.#options.out).open,
          remedy: 'Run the same command to resume the study.',
        });
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      return this.#own.length;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Runs trials until all remaining ones are finished or in progress. */
  async #work(): Promise<void> {
    try {
      for (;;) {
        if (this.#stop.signal.aborted) return;
        const trial = pendingTrials(this.#plan()).find(({ hash }) => !this.#running.has(hash));
        if (trial === undefined) {
          // Trials in progress may be the last of the search, after which more trials follow.
          if (this.#running.size === 0) return;
          await this.#someoneElse();
          continue;
        }
        await this.#runOne(trial);
      }
    } catch (error) {
      // One failure stops the others, which would fail too. Their errors are a consequence and are ignored.
      this.#failure ??= { error };
      this.#stop.abort();
    } finally {
      this.#wake();
    }
  }

  #waiting: (() => void)[] = [];

  #someoneElse(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #runOne(trial: Trial): Promise<void> {
    const { data, progress, threads, out } = this.#options;
    const { hash, label, configuration } = trial;
    const entry = { trial, step: 0 };
    this.#running.set(hash, entry);
    try {
      const finished = await runTrial(trial, {
        host: this.#host,
        folder: workFolder(out, hash),
        data,
        threads,
        signal: this.#stop.signal,
        onStep: (step) => {
          entry.step = step;
          if (progress.terminal) progress.running(this.#state());
        },
      });
      const date = new Date().toISOString();
      const record: LedgerRecord = { hash, label, configuration, ...finished, ...this.#environment, date };
      await this.#writer.append(record);
      this.#results.set(hash, finished.result);
      this.#own.push(record);
    } finally {
      this.#running.delete(hash);
    }
    progress.finished({ trial, result: this.#results.get(hash)!, state: this.#state() });
    this.#wake();
  }

  #plan(): PlanOptions {
    const { study, only } = this.#options;
    return { study, results: this.#results, only };
  }

  /**
   * The plan changes only with the results. Hashing hundreds of configurations for every progress line would be slow.
   */
  #planned: { readonly plan: Plan; readonly results: number } | undefined;

  #state(): ProgressState {
    const { study, parallel } = this.#options;
    const results = this.#results.size;
    if (this.#planned?.results !== results) this.#planned = { plan: planStudy(this.#plan()), results };
    const { trials } = this.#planned.plan;
    const left = trials.filter(({ hash }) => !this.#results.has(hash));
    const work = left.reduce((sum, { hash, configuration, steps }) => {
      const step = this.#running.get(hash)?.step ?? 0;
      return sum + workOf(configuration, study) * (1 - step / steps);
    }, 0);
    return {
      done: trials.length - left.length,
      total: trials.length,
      secondsLeft: (work * secondsPerWork(study, this.#own)) / parallel,
      running: [...this.#running.values()],
    };
  }
}
