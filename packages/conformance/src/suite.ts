import { resolveOptions } from '@lmd/core';
import { ownExpect, type TestFramework } from './framework.js';
import { type ConformanceOptions, conformanceOptionTable, withTestNames } from './options.js';
import { planSuite } from './plan.js';
import { skippable } from './skippable.js';

/**
 * Defines the suite that every backend must pass, in the given test framework. It calls `create` once, in the first
 * test, and `close` in the last. If the backend cannot be created, the first test reports the reason, and the others
 * are skipped if the framework supports it. Shapes and values are random in each run; the seed is in the suite's name
 * and in each failure, and `seed` reproduces the run.
 *
 * Every test runs on every backend. `supports` determines what a test expects, not whether it runs.
 *
 * Throws `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for options it does not know, and for listed tests that do not exist.
 */
export function backendConformance(
  { describe, it, expect = ownExpect }: TestFramework,
  options: ConformanceOptions,
): void {
  const given = resolveOptions('backendConformance', conformanceOptionTable, options);
  const resolved = withTestNames('backendConformance', given);
  const plan = planSuite(resolved, expect);
  describe(plan.title, () => {
    for (const group of plan.groups) {
      describe(group.name, () => {
        for (const test of group.tests) it(test.title, skippable(test.body, plan.broken), resolved.timeLimit + grace);
      });
    }
  });
}

/** Milliseconds after our own time limit, whose message says more, until the framework's ends a test. */
const grace = 30_000;

/** One test for a runner of any kind. */
export interface ConformanceTest {
  /** Full name, `group > name`. */
  readonly name: string;
  /** Rejects if the test fails. Run the tests in order: the first creates the backend, the last closes it. */
  run(): Promise<void>;
}

/**
 * The tests of the suite, for frameworks that have no `describe` and `it`: `Deno.test`, tape, or a loop of your own.
 * Options and errors are those of `backendConformance`.
 */
export function conformanceTests(options: ConformanceOptions): readonly ConformanceTest[] {
  const given = resolveOptions('conformanceTests', conformanceOptionTable, options);
  const plan = planSuite(withTestNames('conformanceTests', given), ownExpect);
  return plan.groups.flatMap(({ tests }) => tests.map(({ fullName, body }) => ({ name: fullName, run: body })));
}
