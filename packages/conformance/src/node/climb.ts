import { type ConformanceLevelName, conformanceLevels } from '../levels.js';
import { errorsByOperation } from './errors-by-operation.js';
import type { BackendFacts, BackendModule, OperationErrors, SpeedRow, TestOutcome } from './messages.js';
import type { End, TestHost } from './test-process.js';

export interface ClimbOptions {
  readonly backend: BackendModule;
  readonly levels: readonly ConformanceLevelName[];
  /** Parts of full names; a test is selected by any. Empty: all tests. */
  readonly tests: readonly string[];
  /** Whether to go on after a level that fails. */
  readonly all: boolean;
  readonly seed: number;
  /** Seconds for the import with `create`, and for each test. */
  readonly timeout: number;
  readonly perf: boolean;
}

export interface ClimbEvents {
  onTest?(level: string, test: string, done: number, total: number): void;
  onLevel?(level: LevelResult): void;
}

export interface LevelResult {
  readonly name: ConformanceLevelName;
  readonly describe: string;
  readonly state: 'passed' | 'failed' | 'not run';
  readonly tests: number;
  readonly outcomes: readonly TestOutcome[];
  readonly seconds: number;
  /** Why the level ended before its last test. */
  readonly note?: string;
}

export interface ClimbResult {
  readonly backend: BackendModule;
  readonly facts: BackendFacts | undefined;
  readonly seed: number;
  readonly levels: readonly LevelResult[];
  readonly errors: readonly OperationErrors[];
  readonly speed: readonly SpeedRow[];
  /** Why there is no backend to test, or no speed. */
  readonly problem?: { readonly message: string; readonly usage: boolean };
}

/** Tests of a level that may hang or crash before it ends: each takes the whole time limit. */
const mostStops = 3;

/** Runs levels in order, each with a new backend in a process of its own. */
export async function climb(host: TestHost, options: ClimbOptions, events: ClimbEvents = {}): Promise<ClimbResult> {
  const { backend, seed, timeout } = options;
  let facts: BackendFacts | undefined;
  let problem: ClimbResult['problem'];
  const levels: LevelResult[] = [];
  const chosen = chosenLevels(options);
  for (const [index, level] of chosen.entries()) {
    const blocked = problem !== undefined || (!options.all && levels.some(({ state }) => state === 'failed'));
    const result = blocked ? notRun(level) : await runLevel(level);
    levels.push(result);
    // Without a backend there is no level to report.
    if (!blocked && (problem === undefined || result.outcomes.length > 0)) events.onLevel?.(result);
    if (problem !== undefined && index === 0) break;
  }
  const speed: SpeedRow[] = [];
  if (options.perf && problem === undefined) {
    const request = { backend, seed, task: { kind: 'speed' } } as const;
    const end = await host.run(request, timeout, {
      onCreated: (created) => {
        facts = created;
      },
      onSpeed: (row) => speed.push(row),
    });
    if (end.kind !== 'done') problem = { message: end.message, usage: end.kind === 'unusable' && end.usage };
  }
  const outcomes = levels.flatMap((level) => level.outcomes);
  return {
    backend,
    facts,
    seed,
    levels,
    errors: errorsByOperation(outcomes.flatMap(({ errors }) => errors)),
    speed,
    ...(problem === undefined ? {} : { problem }),
  };

  async function runLevel({ name, describe, tests }: ChosenLevel): Promise<LevelResult> {
    const start = performance.now();
    const outcomes: TestOutcome[] = [];
    let note: string | undefined;
    let stops = 0;
    for (let left = tests; left.length > 0; ) {
      const end = await host.run({ backend, seed, task: { kind: 'tests', tests: left } }, timeout, {
        onCreated: (created) => {
          facts = created;
        },
        onBegin: (test) => events.onTest?.(name, test, outcomes.length, tests.length),
        onOutcome: (outcome) => outcomes.push(outcome),
      });
      const stopped = stoppedTest(end);
      if (stopped === undefined) break;
      // Without a test it happened before the first: the next process would fare no better.
      if (stopped.test === undefined) {
        problem = { message: stopped.message, usage: stopped.usage };
        break;
      }
      outcomes.push({ name: stopped.test, passed: false, message: stopped.message, milliseconds: 0, errors: [] });
      stops += 1;
      left = tests.slice(tests.indexOf(stopped.test) + 1);
      if (!tests.includes(stopped.test)) break;
      if (stops >= mostStops && left.length > 0) {
        note = `${stops} tests hung or crashed: the ${left.length} after them were not run`;
        break;
      }
    }
    const complete = problem === undefined && note === undefined && outcomes.length >= tests.length;
    const passed = complete && outcomes.every((outcome) => outcome.passed);
    return {
      name,
      describe,
      state: passed ? 'passed' : 'failed',
      tests: tests.length,
      outcomes,
      seconds: (performance.now() - start) / 1000,
      ...(note === undefined ? {} : { note }),
    };
  }
}

type ChosenLevel = Pick<LevelResult, 'name' | 'describe'> & { readonly tests: readonly string[] };

function chosenLevels({ levels, tests }: ClimbOptions): ChosenLevel[] {
  return conformanceLevels
    .filter(({ name }) => levels.includes(name))
    .map((level) => ({
      name: level.name,
      describe: level.describe,
      tests: level.tests.filter((name) => tests.length === 0 || tests.some((part) => name.includes(part))),
    }))
    .filter((level) => level.tests.length > 0);
}

function notRun({ name, describe, tests }: ChosenLevel): LevelResult {
  return { name, describe, state: 'not run', tests: tests.length, outcomes: [], seconds: 0 };
}

function stoppedTest(end: End) {
  if (end.kind === 'done') return undefined;
  return end.kind === 'unusable'
    ? { test: undefined, message: end.message, usage: end.usage }
    : { test: end.test, message: end.message, usage: false };
}
