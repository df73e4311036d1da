import { type Model, type Optimizer, type OptimizerDescription, optimizerFromDescription } from '@lmd/core';
import { lmdParameter } from '@lmd/models';
import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';

/**
 * Builds the optimizer of a configuration, with its schedule over `steps` steps. The schema has already checked the
 * options.
 *
 * @param model the trained part of the model. In fine-tuning, a parameter group may have no weights.
 */
export function buildOptimizer(configuration: OptimizerConfiguration, steps: number, model: Model): Optimizer {
  const { name: _, precision: __, rule, schedule, clipNorm, ...given } = configuration;
  const { rest, ...options } = { rest: undefined, ...given };
  return optimizerFromDescription({
    groups: rest === undefined ? [{ match: '*', rule, options }] : besideRest({ rule, options }, rest, model),
    schedule: { ...schedule, steps },
    clipNorm,
  });
}

type Groups = OptimizerDescription['groups'];

/** The configured optimizer for matrices and AdamW for the rest, each only if it has weights. */
function besideRest(own: Omit<Groups[number], 'match'>, rest: object, { parameters }: Model): Groups {
  const suited = Object.entries(parameters).filter(([name, { shape }]) => lmdParameter(name, shape)).length;
  const adamw = { rule: 'adamw', options: { ...rest } } as const;
  if (suited === 0) return [{ match: '*', ...adamw }];
  if (suited === Object.keys(parameters).length) return [{ match: '*', ...own }];
  return [
    { match: lmdParameter, ...own },
    { match: '*', ...adamw },
  ];
}
