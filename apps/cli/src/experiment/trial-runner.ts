import { inChildProcess } from '../trial/hosts.js';
import { describeEnvironment } from './ledger/provenance.js';
import type { Provenance } from './ledger/record.js';
import { type FinishedTrial, runTrial, workFolder } from './run-trial.js';
import type { PlannedTrial } from './trial.js';

/** Where trials run. */
export interface TrialRunner {
  /** Number of trials that it takes at once. */
  readonly capacity: number;
  /** Number of trials that it runs at once, as far as it knows, for estimates of time. */
  parallel(): number;
  /** Called before the first trial with the results in the ledger by hash, to which new ones are added. */
  start?(recorded: ReadonlyMap<string, unknown>): void;
  /**
   * Runs a trial to its end.
   *
   * @throws LmdError `INTERRUPTED` if the signal stopped it; the next call resumes. Errors of a trial.
   */
  run(trial: PlannedTrial, how: TrialProgress): Promise<RanTrial>;
}

export interface TrialProgress {
  readonly signal: AbortSignal;
  /** Called with 0 when the trial begins, and after its steps. */
  readonly onStep: (step: number) => void;
}

export interface RanTrial {
  readonly finished: FinishedTrial;
  readonly provenance: Provenance;
  /** Called when the result is recorded, after which nothing else of the trial is needed. */
  settle(): Promise<void>;
}

export interface LocalRunnerOptions {
  /** The folder of the ledger, in which trials have their working folders. */
  readonly out: string;
  /** Folder or file of the data, overrides that of the configurations. */
  readonly data?: string | undefined;
  /** Number of parallel trials. */
  readonly parallel: number;
  /** Threads of each trial. */
  readonly threads: number;
  /** Path of the `lmd` command, which runs the trials. */
  readonly program: string;
  /** Folder of the program's sources, for the commit in the ledger. */
  readonly checkout?: string | undefined;
}

/** Runs trials on this machine, each in a separate process. */
export function localRunner({ out, data, parallel, threads, program, checkout }: LocalRunnerOptions): TrialRunner {
  const host = inChildProcess(program);
  const environment = describeEnvironment(checkout);
  return {
    capacity: parallel,
    parallel: () => parallel,
    async run(trial, { signal, onStep }) {
      onStep(0);
      const folder = workFolder(out, trial.hash);
      const finished = await runTrial(trial, { host, folder, data, threads, signal, onStep });
      return {
        finished,
        provenance: { ...environment, date: new Date().toISOString() },
        settle: async () => {},
      };
    },
  };
}
