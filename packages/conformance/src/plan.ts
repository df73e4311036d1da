import { type Backend, checkBackend } from '@lmd/core';
import type { Case } from './case.js';
import { caseGroups } from './cases/index.js';
import { type Measurement, openContext } from './context.js';
import type { Expect } from './framework.js';
import { thisConformance } from './made-by.js';
import type { ResolvedOptions } from './options.js';
import { isTimeLimit, within } from './time-limit.js';

export interface PlannedTest {
  /** `group > name`: what `expectedFailures` lists. */
  readonly fullName: string;
  /** What a test framework shows. */
  readonly title: string;
  readonly body: () => Promise<void>;
}

export interface Plan {
  readonly title: string;
  /** The first test creates the backend, the last one closes it. */
  readonly groups: readonly { readonly name: string; readonly tests: readonly PlannedTest[] }[];
  /** Reason why no further test can run, if any: the backend was not created, or no longer responds. */
  broken(): string | undefined;
}

/** The full name of the test that creates the backend. */
export const openingTest = 'start > creates';

/** The full name of the test that closes the backend. */
export const closingTest = 'end > closes';

/** Every test with its body, before it is registered in a framework. The backend is created when the first one runs. */
export function planSuite(
  { name, create, seed, expectedFailures, timeLimit, tests }: ResolvedOptions,
  expect: Expect,
  onMeasurement?: (measurement: Measurement) => void,
): Plan {
  let backend: Promise<Backend> | undefined;
  let created: Backend | undefined;
  let broken: string | undefined;
  const createOne = async () => {
    const opened = await within(timeLimit, Promise.resolve().then(create), 'create', () => 'create');
    checkBackend(opened, { receiver: thisConformance });
    return opened;
  };
  const open = () => {
    backend ??= createOne().then((opened) => {
      created = opened;
      return opened;
    });
    return backend;
  };
  // One at a time, also under a framework that starts tests together: a leak must be its own test's.
  let previous: Promise<unknown> = Promise.resolve();
  const inTurn = (body: () => Promise<void>) => () => {
    const turn = previous.then(body);
    previous = turn.catch(() => undefined);
    return turn;
  };

  const planned = caseGroups.map(({ name: group, cases }) => ({
    name: group,
    tests: cases.map((one): PlannedTest => {
      const fullName = `${group} > ${one.name}`;
      // A failure of all tests does not count as the expected failure of this one.
      const run = async () => {
        const opened = await opening();
        const body = () => runCase(one, fullName, opened);
        await (reason === undefined ? body() : inverted(body, fullName));
      };
      const reason = expectedFailures.get(fullName);
      const title = reason === undefined ? one.name : `${one.name} (expected to fail: ${reason})`;
      return { fullName, title, body: inTurn(run) };
    }),
  }));
  // Whole groups are left out where a level has none of their tests.
  const groups = planned
    .map((group) => ({ ...group, tests: group.tests.filter(({ fullName }) => tests.has(fullName)) }))
    .filter((group) => group.tests.length > 0);
  const first = { fullName: openingTest, title: 'creates', body: inTurn(async () => void (await opening())) };
  const closing = { fullName: closingTest, title: 'closes', body: inTurn(async () => created?.close?.()) };
  return {
    title: `conformance of ${name} (seed ${seed})`,
    groups: [{ name: 'start', tests: [first] }, ...groups, { name: 'end', tests: [closing] }],
    broken: () => broken,
  };

  /** The backend; the reason why there is none is given in full once, by the first test that needs it. */
  async function opening(): Promise<Backend> {
    if (broken !== undefined) throw new Error(`not run: ${broken}`);
    try {
      return await open();
    } catch (error) {
      broken = 'the backend was not created';
      throw error;
    }
  }

  async function runCase(one: Case, fullName: string, opened: Backend): Promise<void> {
    const context = openContext({
      backend: opened,
      seed,
      name: fullName,
      expect,
      createAnother: createOne,
      onMeasurement,
    });
    const before = opened.memory();
    try {
      const read = () => `read, for the result of ${context.reading() ?? 'an operation'},`;
      await within(timeLimit, one.run(context), fullName, read);
    } catch (error) {
      if (isTimeLimit(error)) broken = await unlessAnswering(opened, fullName);
      throw error;
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

  /**
   * After a test that never ended: without an answer to one more read, each test that follows would take its whole time
   * too.
   */
  async function unlessAnswering(opened: Backend, fullName: string): Promise<string | undefined> {
    const probe = opened.full([], 1, 'f32');
    try {
      await within(Math.min(timeLimit, 10_000), opened.read(probe), fullName, () => 'read');
      opened.dispose(probe);
      return undefined;
    } catch {
      return `the backend answers no more since "${fullName}"`;
    }
  }
}

async function inverted(run: () => Promise<void>, name: string): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (isTimeLimit(error)) throw error;
    return;
  }
  throw new Error(`'${name}' passes, but is listed as an expected failure: remove it from expectedFailures.`);
}
