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
  /** Folder of the data's files, in place of the study's. */
  readonly data?: string | undefined;
  /** The folder of the ledger. */
  readonly out: string;
  /** Trials at one time. */
  readonly parallel: number;
  /** Threads of each trial. */
  readonly threads: number;
  readonly only?: PartName | undefined;
  /** The path of the `lmd` command, for the processes of trials. */
  readonly program: string;
  /**
   * Aborting it ends the running trials after their step, with a checkpoint, and the run with `INTERRUPTED`; finished
   * ones are in the ledger.
   */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Results by the hash of the configuration; of two records of one trial the first counts. */
export function resultsOf(records: readonly LedgerRecord[]): Map<string, TrialResult> {
  const results = new Map<string, TrialResult>();
  for (const { hash, result } of records) if (!results.has(hash)) results.set(hash, result);
  return results;
}

/**
 * Runs what is missing of a study, trial by trial, each in a process of its own, and appends each result to the ledger
 * as it comes. It can be killed at any moment: the next call goes on with the first trial that the ledger lacks.
 *
 * @returns how many trials it ran.
 * @throws LmdError `RUN_LOCKED` where another process runs the study in that folder; `INTERRUPTED`; `DATA_CORRUPT` for
 *   a ledger that cannot be read; and what a trial throws, which is not a divergence.
 */
export async function runStudy(options: RunStudyOptions): Promise<number> {
  const { out, study } = options;
  if (study.frozen !== undefined) {
    throw new UsageError('INVALID_ARGUMENT', `The study ${study.name} is frozen: ${study.frozen}`, {
      subject: 'frozen',
      value: study.name,
      remedy: 'To run it anew, remove `frozen` from a copy of the study and name another folder with --out.',
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
          `A last line of ${writer.recovered} bytes was torn and has been cut off; its trial runs again.`,
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
      throw new UsageError('INVALID_ARGUMENT', `The part ${only} follows from the search, which is not complete.`, {
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
          remedy: 'The same command continues the study.',
        });
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      return this.#own.length;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Takes one trial after the other until none is left that nobody works on. */
  async #work(): Promise<void> {
    try {
      for (;;) {
        if (this.#stop.signal.aborted) return;
        const trial = pendingTrials(this.#plan()).find(({ hash }) => !this.#running.has(hash));
        if (trial === undefined) {
          // The trials that others are on may be the last of the search, after which there is more to do.
          if (this.#running.size === 0) return;
          await this.#someoneElse();
          continue;
        }
        await this.#runOne(trial);
      }
    } catch (error) {
      // One failure ends the others, which would meet it too; what they then throw is its consequence.
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
   * The plan changes with the results alone, and to hash hundreds of configurations for every line of progress is not
   * free.
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
