import type { TestFramework } from './framework.js';
import { type ConformanceOptions, resolveOptions } from './options.js';
import { planSuite, testNames } from './plan.js';

/** Ample for ten training steps on a backend in plain loops; a framework's default of a few seconds is not. */
const testTimeout = 120_000;

/**
 * Defines the suite that every backend must pass, in the given test framework. It calls `create` once, in the first test, and
 * `close` in the last. Shapes and values differ from run to run; the seed is in the suite's name and in each failure, and
 * `seed` replays it.
 *
 * Every test runs on every backend. What `supports` says decides what a test expects, never whether it runs.
 *
 * Throws `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for options it does not know, and for listed tests that do not exist.
 */
export function backendConformance({ describe, it, expect }: TestFramework, options: ConformanceOptions): void {
  const plan = planSuite(resolveOptions(options, testNames), expect);
  describe(plan.title, () => {
    for (const group of plan.groups) {
      describe(group.name, () => {
        for (const test of group.tests) it(test.title, test.body, testTimeout);
      });
    }
  });
}
