import type { RecordedResult } from '../result.js';
import type { TrialConfiguration } from '../trial.js';

/** The environment and time of a trial. */
export interface Provenance {
  /** Git commit, with `+` if files differ from it; `unknown` outside a checkout. */
  readonly commit: string;
  readonly versions: { readonly [packageName: string]: string };
  readonly node: string;
  readonly machine: string;
  /** ISO 8601, UTC: when the trial ended. */
  readonly date: string;
}

/** One line of the ledger: a finished trial. */
export interface LedgerRecord extends Provenance {
  /** SHA-256 of the configuration, which identifies the trial. */
  readonly hash: string;
  readonly label: string;
  readonly configuration: TrialConfiguration;
  readonly result: RecordedResult;
  /** Wall-clock seconds of training and evaluation. */
  readonly seconds: number;
}
