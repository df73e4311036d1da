import type { Measurement } from './context.js';
import type { Expect } from './framework.js';
import { type ConformanceOptions, resolveOptions } from './options.js';
import { closingTest, openingTest, planSuite, testNames } from './plan.js';

export interface ConformanceRunOptions extends ConformanceOptions {
  /** Which tests run, by full name (`group > name`); all when absent. */
  readonly filter?: (testName: string) => boolean;
  /** Called after each test, for a progress display. */
  readonly onResult?: (result: ConformanceResult) => void;
  /**
   * Called for each result of an operation that meets its bound, with how far it is off: for tables and regressions.
   */
  readonly onMeasurement?: (measurement: Measurement) => void;
}

export interface ConformanceResult {
  /** Full name, `group > name`. */
  readonly name: string;
  readonly passed: boolean;
  /** What went wrong, where it did. */
  readonly error?: unknown;
  readonly milliseconds: number;
}

export interface ConformanceReport {
  readonly name: string;
  /** Give it as `seed` to replay this run. */
  readonly seed: number;
  /** Full names. A test listed in `expectedFailures` passes by failing. */
  readonly passed: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
  readonly milliseconds: number;
}

/**
 * Runs the suite without a test framework, in a command or a browser, and reports. It throws for wrong options only.
 * Where the backend cannot be created, that is the one failure, under the name `start > creates`; where it answers no
 * more after a test that never ended, that test is the last.
 */
export async function runConformance(options: ConformanceRunOptions): Promise<ConformanceReport> {
  const { filter = () => true, onResult, onMeasurement } = options;
  const resolved = resolveOptions(options, testNames, ['filter', 'onResult', 'onMeasurement']);
  const plan = planSuite(resolved, expect, onMeasurement);
  const passed: string[] = [];
  const failed: { name: string; error: unknown }[] = [];
  const start = performance.now();
  for (const { fullName, body } of plan.groups.flatMap(({ tests }) => tests)) {
    // The first one creates the backend and the last one closes it: both are needed whatever was chosen.
    if (fullName !== openingTest && fullName !== closingTest && !filter(fullName)) continue;
    // A backend that was created is closed also where it answers no more.
    if (plan.broken() !== undefined && (fullName !== closingTest || failed[0]?.name === openingTest)) continue;
    const testStart = performance.now();
    let failure: { error: unknown } | undefined;
    try {
      await body();
      // Not a test of the backend where it succeeds.
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

const expect: Expect = (actual) => ({
  toBe(expected) {
    if (!Object.is(actual, expected)) throw new Error(`expected ${String(expected)}, got ${String(actual)}`);
  },
});
