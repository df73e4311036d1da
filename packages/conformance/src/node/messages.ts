import type { BoundName } from '../bounds.js';
import type { ErrorHistogram } from '../histogram.js';

/** What the parent asks of a test process: its first and only message. */
export interface ChildRequest {
  readonly backend: BackendModule;
  readonly seed: number;
  /** Is part of each message of the test process; a message without it is the backend's. */
  readonly key: string;
  readonly task:
    | { readonly kind: 'tests' /** Full names, in order. */; readonly tests: readonly string[] }
    | { readonly kind: 'speed' };
}

/** A module that exports a function which creates a backend. */
export interface BackendModule {
  /** A path or the name of a package, as given on the command line. */
  readonly specifier: string;
  /** Name of the export. Default: `create`, or the default export. */
  readonly exportName?: string | undefined;
  readonly options: object;
}

/** Errors of one operation, over all of its results within their bound. */
export interface OperationErrors {
  readonly operation: string;
  /** Whether core composed it although the backend has a kernel for it. */
  readonly composed: boolean;
  readonly bound: BoundName;
  readonly results: number;
  /** The largest error, in units of 2^-24 of the terms (half an ulp). */
  readonly units: number;
  /** As a fraction of the bound. */
  readonly share: number;
  readonly histogram: ErrorHistogram;
}

export interface TestOutcome {
  /** Full name, `group > name`. */
  readonly name: string;
  readonly passed: boolean;
  /** Why it failed. */
  readonly message?: string;
  readonly milliseconds: number;
  readonly errors: readonly OperationErrors[];
}

/** Speed of one operation beside the reference backend's. */
export interface SpeedRow {
  readonly operation: string;
  /** Shapes, for display. */
  readonly size: string;
  readonly milliseconds: number;
  readonly referenceMilliseconds: number;
}

export interface BackendFacts {
  readonly name: string;
  readonly device: string;
  readonly kernels: readonly string[];
}

export type ChildMessage =
  | { readonly type: 'created'; readonly facts: BackendFacts }
  /** The backend cannot be used at all. `usage`: the command line names something that does not exist. */
  | { readonly type: 'unusable'; readonly message: string; readonly usage: boolean }
  | { readonly type: 'begin'; readonly test: string }
  | { readonly type: 'outcome'; readonly outcome: TestOutcome }
  | { readonly type: 'speed'; readonly row: SpeedRow }
  /** An error that no test could catch: a promise of the backend that nothing awaits. */
  | { readonly type: 'crash'; readonly message: string }
  | { readonly type: 'done' };
