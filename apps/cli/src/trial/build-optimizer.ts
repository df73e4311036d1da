import { type Optimizer, optimizerFromDescription } from '@lmd/core';
import { lmdParameter } from '@lmd/models';
import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';

/** The rule that a configuration describes, with its schedule over `steps` steps. The schema has checked the options of each. */
export function buildOptimizer(configuration: OptimizerConfiguration, steps: number): Optimizer {
  const { name: _, rule, schedule, clipNorm, ...given } = configuration;
  const { rest, ...options } = { rest: undefined, ...given };
  return optimizerFromDescription({
    groups:
      rest === undefined
        ? [{ match: '*', rule, options }]
        : [
            { match: lmdParameter, rule, options },
            { match: '*', rule: 'adamw', options: rest },
          ],
    schedule: { ...schedule, decay: Math.max(1, steps - schedule.warmup - 1) },
    clipNorm,
  });
}
