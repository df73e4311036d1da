import type { Measurement } from './context.js';
import type { Expect } from './framework.js';
import { type ConformanceOptions, resolveOptions } from './options.js';
import { closingTest, planSuite, testNames } from './plan.js';

export interface ConformanceRunOptions extends ConformanceOptions {
  /** Which tests run, by full name (`group > name`); all when absent. */
  readonly filter?: (testName: string) => boolean;
  /** Called after each test, for a progress display. */
  readonly onResult?: (result: ConformanceResult) => void;
  /** Called for each result of an operation that meets its bound, with how far it is off: for tables and regressions. */
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
 * Runs the suite without a test framework, in a command or a browser, and reports. It throws for wrong options only; a
 * backend that cannot be created fails every test.
 */
export async function runConformance(options: ConformanceRunOptions): Promise<ConformanceReport> {
  const { filter = () => true, onResult, onMeasurement } = options;
  const resolved = resolveOptions(options, testNames, ['filter', 'onResult', 'onMeasurement']);
  const plan = planSuite(resolved, expect, onMeasurement);
  const passed: string[] = [];
  const failed: { name: string; error: unknown }[] = [];
  const start = performance.now();
  for (const { fullName, body } of plan.groups.flatMap(({ tests }) => tests)) {
    // The last one closes the backend, and is needed whatever was chosen.
    if (fullName !== closingTest && !filter(fullName)) continue;
    const testStart = performance.now();
    let failure: { error: unknown } | undefined;
    try {
      await body();
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
