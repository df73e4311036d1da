import type { LogHistogram } from './histogram.js';

/** What the page asks of the worker: another run in place of the one that goes. */
export interface Request {
  readonly format: string;
  readonly noise: number;
  readonly seed: number;
  /** 0 stops. */
  readonly steps: number;
}

export interface RunSnapshot {
  /** Of the steps since the last snapshot. */
  readonly losses: readonly number[];
  readonly accuracy: number;
  readonly magnitudes: LogHistogram;
}

/** What the worker reports. */
export interface Snapshot {
  readonly step: number;
  readonly stepsPerSecond: number;
  /** LMD, then AdamW. */
  readonly runs: readonly RunSnapshot[];
}
