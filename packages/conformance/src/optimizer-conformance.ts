import { checkOperations, checkOptimizer } from '@lmd/core';
import { ownExpect, type TestFramework } from './framework.js';
import { thisConformance } from './made-by.js';
import { compositionCases } from './optimizers/composition.js';
import { convergenceCases } from './optimizers/convergence.js';
import { inputCases } from './optimizers/inputs.js';
import {
  type OptimizerCase,
  type OptimizerConformanceOptions,
  type ResolvedOptimizerOptions,
  resolveOptimizerOptions,
} from './optimizers/options.js';
import { openSession, type Session } from './optimizers/run.js';
import { stateCases } from './optimizers/state.js';
import { skippable } from './skippable.js';

/** Sufficient for several hundred steps in plain loops, unlike the default of test frameworks of a few seconds. */
const testTimeout = 120_000;

/**
 * Defines the tests that every optimizer must pass, including custom ones, in the given test framework: it converges on
 * four targets, two of them non-convex; its state has constant names, shapes and types, and resumes bit-identically
 * from a copy; it is pure, and its memory does not grow; errors for invalid hyperparameters and gradients name the
 * cause; and it can be combined with groups, clipping, schedules and accumulation.
 *
 * The tests are deterministic.
 *
 * Throws `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for options it does not know.
 */
export function optimizerConformance(
  { describe, it, expect = ownExpect }: TestFramework,
  options: OptimizerConformanceOptions,
): void {
  const given = resolveOptimizerOptions(options);
  // Without operations no test can run: the first reports the reason, and the others are skipped if the framework
  // supports it.
  let broken: string | undefined;
  const createOperations = () => {
    if (broken !== undefined) throw new Error(`not run: ${broken}`);
    try {
      const ops = given.createOperations();
      checkOperations(ops, { receiver: thisConformance });
      return ops;
    } catch (error) {
      broken = 'createOperations failed';
      throw error;
    }
  };
  const create: typeof given.create = (hyperparameters) => {
    const optimizer = given.create(hyperparameters);
    checkOptimizer(optimizer, { receiver: thisConformance });
    return optimizer;
  };
  const resolved = { ...given, create, createOperations };
  // One at a time, even if the framework runs tests concurrently, since tests check the memory of the backend.
  let previous: Promise<unknown> = Promise.resolve();
  const inTurn = (body: () => Promise<void>) => () => {
    const turn = previous.then(body);
    previous = turn.catch(() => undefined);
    return turn;
  };
  describe(`conformance of the optimizer ${resolved.name}`, () => {
    for (const [group, cases] of [
      ['convergence', convergenceCases],
      ['state', stateCases],
      ['inputs', inputCases],
      ['composition', compositionCases],
    ] as const) {
      describe(group, () => {
        for (const { name, run } of cases(resolved)) {
          it(
            name,
            skippable(
              inTurn(async () => {
                const problem = await runCase(run, resolved);
                if (problem !== undefined) throw new Error(`${resolved.name}: ${problem}`);
                expect(problem).toBe(undefined);
              }),
              () => broken,
            ),
            testTimeout,
          );
        }
      });
    }
  });
}

async function runCase(run: OptimizerCase['run'], options: ResolvedOptimizerOptions): Promise<string | undefined> {
  const sessions: Session[] = [];
  try {
    return await run(options, () => {
      const session = openSession(options.createOperations());
      sessions.push(session);
      return session;
    });
  } finally {
    for (const session of sessions) session.close();
  }
}
