import { type Backend, describeValue, LmdError, refuseUnknownOptions } from '@lmd/core';

export interface ConformanceOptions {
  /** Appears in the names of the tests. */
  readonly name: string;
  /** Creates the backend; called once. */
  readonly create: () => Promise<Backend> | Backend;
  /**
   * Full names (`group > name`) of tests that this backend is known to fail, or a record from the name to the reason.
   * They still run, and one that passes fails the suite until it is removed from the list.
   */
  readonly expectedFailures?: readonly string[] | { readonly [testName: string]: string };
  /** Random seed of shapes and values, an integer in [0, 2^53). Default: from the clock. */
  readonly seed?: number;
  /**
   * Time limit of `create` and of each test in milliseconds, up to 2^31 − 1. Default 120,000, sufficient for ten
   * training steps on a backend in plain loops. The error of a stopped test names the operation whose result was
   * pending.
   */
  readonly timeLimit?: number;
}

export interface ResolvedOptions {
  readonly name: string;
  readonly create: () => Promise<Backend> | Backend;
  readonly expectedFailures: ReadonlyMap<string, string>;
  readonly seed: number;
  readonly timeLimit: number;
}

const known: readonly (keyof ConformanceOptions)[] = ['name', 'create', 'expectedFailures', 'seed', 'timeLimit'];

/** Validates the options and fills in defaults. `testNames` are the existing tests. */
export function resolveOptions(
  options: ConformanceOptions,
  testNames: readonly string[],
  alsoKnown: readonly string[] = [],
): ResolvedOptions {
  const allowed: readonly string[] = [...known, ...alsoKnown];
  refuseUnknownOptions('backendConformance', options, allowed);
  const { name, create, seed = Date.now(), timeLimit = 120_000 } = options;
  if (typeof name !== 'string' || name === '') throw invalid('name', name, 'Use the name of the backend.');
  if (typeof create !== 'function') throw invalid('create', create, 'Use a function that creates the backend.');
  if (!Number.isSafeInteger(seed) || seed < 0) throw invalid('seed', seed, 'Use an integer in [0, 2^53).');

  if (!(timeLimit > 0 && timeLimit < 2 ** 31)) {
    throw invalid('timeLimit', timeLimit, 'Use milliseconds above 0 and below 2^31.');
  }

  const listed = options.expectedFailures ?? [];
  const expectedFailures = new Map<string, string>(
    Array.isArray(listed) ? listed.map((test: string) => [test, 'listed']) : Object.entries(listed),
  );
  for (const test of expectedFailures.keys()) {
    if (testNames.includes(test)) continue;
    throw invalid(
      'expectedFailures',
      test,
      `There is no such test. Use the full name of a test, such as '${testNames[0]}'.`,
    );
  }
  return { name, create, expectedFailures, seed, timeLimit };
}

function invalid(subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `backendConformance: ${subject} is ${describeValue(value)}.`, {
    subject,
    value,
    remedy,
  });
}
