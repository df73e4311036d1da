import type { Backend } from '@lmd/core';
import type { Case } from './case.js';
import { caseGroups } from './cases/index.js';
import { type Measurement, openContext } from './context.js';
import type { Expect } from './framework.js';
import type { ResolvedOptions } from './options.js';

export interface PlannedTest {
  /** `group > name`: what `expectedFailures` lists. */
  readonly fullName: string;
  /** What a test framework shows. */
  readonly title: string;
  readonly body: () => Promise<void>;
}

export interface Plan {
  readonly title: string;
  readonly groups: readonly { readonly name: string; readonly tests: readonly PlannedTest[] }[];
}

/** The full name of the test that closes the backend. */
export const closingTest = 'end > closes';

/** The full names, `group > name`, of all tests: what `expectedFailures` may list. */
export const testNames: readonly string[] = caseGroups.flatMap((group) =>
  group.cases.map((one) => `${group.name} > ${one.name}`),
);

/** Every test with its body, before any framework is told of it. The backend is created when the first one runs. */
export function planSuite(
  { name, create, seed, expectedFailures }: ResolvedOptions,
  expect: Expect,
  onMeasurement?: (measurement: Measurement) => void,
): Plan {
  let backend: Promise<Backend> | undefined;
  const open = () => {
    backend ??= Promise.resolve().then(create);
    return backend;
  };
  // One at a time, also under a framework that starts tests together: a leak must be its own test's.
  let previous: Promise<unknown> = Promise.resolve();
  const inTurn = (body: () => Promise<void>) => () => {
    const turn = previous.then(body);
    previous = turn.catch(() => undefined);
    return turn;
  };

  const groups = caseGroups.map((group) => ({
    name: group.name,
    tests: group.cases.map((one): PlannedTest => {
      const fullName = `${group.name} > ${one.name}`;
      const run = async () => runCase(one, fullName, await open());
      const reason = expectedFailures.get(fullName);
      if (reason === undefined) return { fullName, title: one.name, body: inTurn(run) };
      return {
        fullName,
        title: `${one.name} (expected to fail: ${reason})`,
        body: inTurn(() => inverted(run, fullName)),
      };
    }),
  }));
  const closing = { fullName: closingTest, title: 'closes', body: inTurn(async () => (await open()).close?.()) };
  return { title: `conformance of ${name} (seed ${seed})`, groups: [...groups, { name: 'end', tests: [closing] }] };

  async function runCase(one: Case, fullName: string, opened: Backend): Promise<void> {
    const context = openContext({ backend: opened, seed, name: fullName, expect, onMeasurement });
    const before = opened.memory();
    try {
      await one.run(context);
    } finally {
      context.close();
    }
    const after = opened.memory();
    if (after.tensors !== before.tensors || after.bytes !== before.bytes) {
      context.fail(
        `a leak: the backend held ${before.tensors} tensors (${before.bytes} bytes) before this test and ` +
          `${after.tensors} (${after.bytes} bytes) after it`,
      );
    }
  }
}

async function inverted(run: () => Promise<void>, name: string): Promise<void> {
  try {
    await run();
  } catch {
    return;
  }
  throw new Error(`'${name}' passes, but is listed as an expected failure: remove it from expectedFailures.`);
}
