import type { Dataset } from '@lmd/training';

/** The examples of a run, in their three parts. */
export interface RunData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Images that did not decode and were asked to be left out, and why. */
  readonly skipped?: readonly string[];
  /** Frees open files and threads. */
  close?(): Promise<void>;
}
