import { type Model, type Optimizer, type OptimizerDescription, optimizerFromDescription } from '@lmd/core';
import { lmdParameter, muonParameter } from '@lmd/models';
import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';

/**
 * Builds the optimizer of a configuration, with its schedule over `steps` steps. The schema has already checked the
 * options.
 *
 * @param model the trained part of the model. In fine-tuning, a parameter group may have no weights.
 */
export function buildOptimizer(configuration: OptimizerConfiguration, steps: number, model: Model): Optimizer {
  const { schedule, clipNorm } = configuration;
  return optimizerFromDescription({
    groups: groupsOf(configuration, model),
    schedule: { ...schedule, steps },
    clipNorm,
  });
}

/**
 * The optimizer of a configuration with another course of its learning rate, by the step. Other step sizes, such as
 * that of `rest`, are constant.
 */
export function buildOptimizerWithRate(
  configuration: OptimizerConfiguration,
  learningRate: (step: number) => number,
  model: Model,
): Optimizer {
  const { clipNorm } = configuration;
  return optimizerFromDescription({ groups: groupsOf(configuration, model, { learningRate }), clipNorm });
}

function groupsOf(configuration: OptimizerConfiguration, model: Model, changes: object = {}): Groups {
  const { name: _, precision: __, rule, schedule: ___, clipNorm: ____, ...given } = configuration;
  const { rest, ...own } = { rest: undefined, ...given };
  const options = { ...own, ...changes };
  return rest === undefined ? [{ match: '*', rule, options }] : besideRest({ rule, options }, rest, model);
}

type Groups = OptimizerDescription['groups'];

/** The configured optimizer for its matrices and AdamW for the rest, each only if it has weights. */
function besideRest(own: Omit<Groups[number], 'match'>, rest: object, { parameters }: Model): Groups {
  const match = own.rule === 'muon' ? muonParameter : lmdParameter;
  const suited = Object.entries(parameters).filter(([name, { shape }]) => match(name, shape)).length;
  const adamw = { rule: 'adamw', options: { ...rest } } as const;
  if (suited === 0) return [{ match: '*', ...adamw }];
  if (suited === Object.keys(parameters).length) return [{ match: '*', ...own }];
  return [
    { match, ...own },
    { match: '*', ...adamw },
  ];
}
