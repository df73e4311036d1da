import {
  type Backend,
  describeValue,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type ResolvedOptions as Resolved,
} from '@lmd/core';
import { type ConformanceLevelName, conformanceLevelNames, conformanceLevels } from './levels.js';
import { testNames } from './test-names.js';

const isLevel = (name: unknown) => (conformanceLevelNames as readonly unknown[]).includes(name);

/** The options of `backendConformance`, declared once. */
export const conformanceOptionTable = {
  /** Name of the backend in the names of the tests. Required. */
  name: option.text({ required: true, describe: 'Name of the backend in the names of the tests.' }),
  /**
   * Creates the backend; called again in the test of several instances, where it may give the same one. A function;
   * required.
   */
  create: option.value<() => Promise<Backend> | Backend>({
    required: true,
    describe: 'Creates the backend; called again in the test of several instances, where it may give the same one.',
    allowed: 'a function',
    check: (given) => typeof given === 'function',
  }),
  /**
   * Full names (`group > name`) of tests that this backend is known to fail. They still run, and one that passes fails
   * the suite until it is removed from the list. A list of names, or a record from the name to the reason.
   */
  expectedFailures: option.value<readonly string[] | { readonly [testName: string]: string }>({
    describe:
      'Full names (`group > name`) of tests that this backend is known to fail. They still run, and one that passes ' +
      'fails the suite until it is removed from the list.',
    allowed: 'a list of names, or a record from the name to the reason',
    check: (given) => typeof given === 'object' && given !== null,
  }),
  /**
   * Only the tests of these levels, in place of all: see `conformanceLevels`. A list of levels: operations, gradients,
   * random-bits, mx-bits, exact-products, optimizers, trajectories, memory, faults.
   */
  levels: option.value<readonly ConformanceLevelName[]>({
    describe: 'Only the tests of these levels, in place of all: see `conformanceLevels`.',
    allowed: `a list of levels: ${conformanceLevelNames.join(', ')}`,
    check: (given) => Array.isArray(given) && given.length > 0 && given.every((name) => isLevel(name)),
  }),
  /** Random seed of shapes and values. Default: from the clock. A whole number, at least 0. */
  seed: option.integer({ atLeast: 0, describe: 'Random seed of shapes and values. Default: from the clock.' }),
  /**
   * Time limit of `create` and of each test in milliseconds; the default is sufficient for ten training steps on a
   * backend in plain loops. The error of a stopped test names the operation whose result was pending. Above 0 and below
   * 2147483648; default 120000.
   */
  timeLimit: option.number({
    above: 0,
    below: 2 ** 31,
    default: 120_000,
    describe:
      'Time limit of `create` and of each test in milliseconds; the default is sufficient for ten training steps on a ' +
      'backend in plain loops. The error of a stopped test names the operation whose result was pending.',
  }),
} as const satisfies OptionTable;

export interface ConformanceOptions extends OptionsOf<typeof conformanceOptionTable> {}

export interface ResolvedOptions {
  readonly name: string;
  readonly create: () => Promise<Backend> | Backend;
  readonly expectedFailures: ReadonlyMap<string, string>;
  readonly seed: number;
  readonly timeLimit: number;
  /** Full names of the tests to run. */
  readonly tests: ReadonlySet<string>;
}

/** Checks the names of tests against those that exist, chooses those of the levels, and a seed if none is given. */
export function withTestNames(owner: string, given: Resolved<typeof conformanceOptionTable>): ResolvedOptions {
  const { name, create, seed = Date.now(), timeLimit, levels = conformanceLevelNames } = given;
  const listed = given.expectedFailures ?? [];
  const expectedFailures = new Map<string, string>(
    Array.isArray(listed) ? listed.map((test: string) => [test, 'listed']) : Object.entries(listed),
  );
  for (const test of expectedFailures.keys()) {
    if (testNames.includes(test)) continue;
    throw new LmdError('INVALID_ARGUMENT', `${owner}: expectedFailures contains ${describeValue(test)}.`, {
      subject: 'expectedFailures',
      value: test,
      remedy: `There is no such test. Use the full name of a test, such as '${testNames[0]}'.`,
    });
  }
  const tests = new Set(conformanceLevels.filter((level) => levels.includes(level.name)).flatMap(({ tests }) => tests));
  return { name, create, expectedFailures, seed, timeLimit, tests };
}
