import type { TrialResult } from '../trial/result.js';
import type { TrialConfiguration } from '../trial/trial.js';

/** What ran a trial, and when. */
export interface Provenance {
  /** Git commit, with `+` where files had changed since; `unknown` outside a checkout. */
  readonly commit: string;
  readonly versions: { readonly [packageName: string]: string };
  readonly node: string;
  readonly machine: string;
  /** ISO 8601, UTC: when the trial ended. */
  readonly date: string;
}

/** One line of the ledger: a finished trial. */
export interface LedgerRecord extends Provenance {
  /** SHA-256 of the configuration: what names the trial. */
  readonly hash: string;
  readonly label: string;
  readonly configuration: TrialConfiguration;
  readonly result: TrialResult;
  /** Wall-clock seconds of training and evaluation. */
  readonly seconds: number;
}
