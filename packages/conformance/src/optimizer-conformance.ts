import type { TestFramework } from './framework.js';
import { compositionCases } from './optimizers/composition.js';
import { convergenceCases } from './optimizers/convergence.js';
import { inputCases } from './optimizers/inputs.js';
import { type OptimizerConformanceOptions, resolveOptimizerOptions } from './optimizers/options.js';
import { stateCases } from './optimizers/state.js';

/** Ample for some hundred steps in plain loops; a framework's default of a few seconds is not. */
const testTimeout = 120_000;

/**
 * Defines the tests that every optimizer must pass, in the given test framework, ours or a rule of your own: it converges on four
 * targets, two of them not convex; its state keeps its names, shapes and types, and resumes to the bit from a copy; it is pure,
 * and its memory does not grow; it refuses bad hyper-parameters and gradients by name; and it composes with groups, clipping,
 * schedules and accumulation.
 *
 * Nothing is drawn at random: a rule that passes, passes always.
 *
 * Throws `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for options it does not know.
 */
export function optimizerConformance(
  { describe, it, expect }: TestFramework,
  options: OptimizerConformanceOptions,
): void {
  const resolved = resolveOptimizerOptions(options);
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
            async () => {
              const problem = await run(resolved);
              if (problem !== undefined) throw new Error(`${resolved.name}: ${problem}`);
              expect(problem).toBe(undefined);
            },
            testTimeout,
          );
        }
      });
    }
  });
}
