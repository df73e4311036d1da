import { type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Measurement } from './context.js';
import { ownExpect } from './framework.js';
import { conformanceOptionTable, withTestNames } from './options.js';
import { closingTest, openingTest, planSuite } from './plan.js';

/** The options of `runConformance`, declared once. */
export const conformanceRunOptionTable = {
  ...conformanceOptionTable,
  /** Selects tests by full name (`group > name`). Default: all. A function. */
  filter: option.callback<(testName: string) => boolean>({
    describe: 'Selects tests by full name (`group > name`). Default: all.',
  }),
  /** Called after each test, for a progress display. A function. */
  onResult: option.callback<(result: ConformanceResult) => void>({
    describe: 'Called after each test, for a progress display.',
  }),
  /**
   * Called for each result of an operation within its bound, with the error: for tables and regression tests. A
   * function.
   */
  onMeasurement: option.callback<(measurement: Measurement) => void>({
    describe:
      'Called for each result of an operation within its bound, with the error: for tables and regression tests.',
  }),
} as const satisfies OptionTable;

export interface ConformanceRunOptions extends OptionsOf<typeof conformanceRunOptionTable> {}

export interface ConformanceResult {
  /** Full name, `group > name`. */
  readonly name: string;
  readonly passed: boolean;
  /** The error, if the test failed. */
  readonly error?: unknown;
  readonly milliseconds: number;
}

export interface ConformanceReport {
  readonly name: string;
  /** Pass it as `seed` to reproduce this run. */
  readonly seed: number;
  /** Full names. A test listed in `expectedFailures` passes by failing. */
  readonly passed: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
  readonly milliseconds: number;
}

/**
 * Runs the suite without a test framework, for example in a script or a browser, and returns the results. It throws
 * only for invalid options. If the backend cannot be created, the only failure is `start > creates`; if it does not
 * respond after a test that exceeded its time limit, that test is the last.
 */
export async function runConformance(options: ConformanceRunOptions): Promise<ConformanceReport> {
  const given = resolveOptions('runConformance', conformanceRunOptionTable, options);
  const { filter = () => true, onResult, onMeasurement } = given;
  const resolved = withTestNames('runConformance', given);
  const plan = planSuite(resolved, ownExpect, onMeasurement);
  const passed: string[] = [];
  const failed: { name: string; error: unknown }[] = [];
  const start = performance.now();
  for (const { fullName, body } of plan.groups.flatMap(({ tests }) => tests)) {
    // The first test creates the backend and the last one closes it: both always run.
    if (fullName !== openingTest && fullName !== closingTest && !filter(fullName)) continue;
    // A created backend is closed even if it does not respond.
    if (plan.broken() !== undefined && (fullName !== closingTest || failed[0]?.name === openingTest)) continue;
    const testStart = performance.now();
    let failure: { error: unknown } | undefined;
    try {
      await body();
      // If it succeeds, it is not counted as a test.
      if (fullName === openingTest) continue;
      passed.push(fullName);
    } catch (error) {
      failure = { error };
      failed.push({ name: fullName, error });
    }
    const milliseconds = performance.now() - testStart;
    onResult?.({ name: fullName, passed: failure === undefined, milliseconds, ...failure });
  }
  const { name, seed } = resolved;
  return { name, seed, passed, failed, milliseconds: performance.now() - start };
}
