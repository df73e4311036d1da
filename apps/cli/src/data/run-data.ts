import type { Dataset } from '@lmd/training';

/** The examples of a run, in their three parts. */
export interface RunData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Frees open files. */
  close?(): Promise<void>;
}
