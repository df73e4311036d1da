import { type Model, type Optimizer, type OptimizerDescription, optimizerFromDescription } from '@lmd/core';
import { lmdParameter, muonParameter } from '@lmd/models';
import type { LmdConfiguration, OptimizerConfiguration } from '../configuration/optimizer-schema.js';
import { createModuleOptimizer } from '../modules/create.js';
import { loadedModule } from '../modules/load.js';

/**
 * Builds the optimizer of a configuration, with its schedule over `steps` steps. The schema has already checked the
 * options.
 *
 * @param model the trained part of the model. In fine-tuning, a parameter group may have no weights.
 */
export function buildOptimizer(configuration: OptimizerConfiguration, steps: number, model: Model): Optimizer {
  const { schedule, clipNorm } = configuration;
  return optimizerFromDescription({
    groups: groupsOf(configuration, steps, model),
    schedule: { ...schedule, steps },
    clipNorm,
  });
}

/**
 * The optimizer of a configuration with another course of its learning rate, by the step. Other step sizes, such as
 * that of `rest`, are constant; schedules of λ and σ run over `steps`.
 */
export function buildOptimizerWithRate(
  configuration: OptimizerConfiguration,
  learningRate: (step: number) => number,
  steps: number,
  model: Model,
): Optimizer {
  const { clipNorm } = configuration;
  return optimizerFromDescription({ groups: groupsOf(configuration, steps, model, { learningRate }), clipNorm });
}

function groupsOf(configuration: OptimizerConfiguration, steps: number, model: Model, changes: object = {}): Groups {
  if (configuration.rule === 'module') return [{ match: '*', ...ofModule(configuration, changes) }];
  const { name: _, precision: __, schedule: ___, clipNorm: ____, ...given } = configuration;
  const { rule, ...described } = given.rule === 'lmd' ? withSchedules(given, steps) : given;
  const { rest, schedules = {}, ...options } = { rest: undefined, schedules: undefined, ...described };
  const own = { rule, options: { ...options, ...changes }, schedules };
  return rest === undefined ? [{ match: '*', ...own }] : besideRest(own, rest, model);
}

/** The keys of schedules of single options as `optimizerFromDescription` takes them. */
function withSchedules<Given extends Omit<LmdConfiguration, 'name' | 'precision' | 'schedule' | 'clipNorm'>>(
  given: Given,
  steps: number,
) {
  const { regularizationSchedule, regularizationFinal, noiseSchedule, noiseFinal, ...options } = given;
  return {
    ...options,
    schedules: {
      regularization: { kind: regularizationSchedule, final: regularizationFinal, steps },
      noise: { kind: noiseSchedule, final: noiseFinal, steps },
    },
  };
}

/** λ and σ after the last step. */
export function lmdAtEnd(configuration: LmdConfiguration): { readonly regularization: number; readonly noise: number } {
  const { regularization, regularizationSchedule, regularizationFinal, noise, noiseSchedule, noiseFinal } =
    configuration;
  const at = (value: number, kind: string, final: number) => (kind === 'constant' ? value : value * final);
  return {
    regularization: at(regularization, regularizationSchedule, regularizationFinal),
    noise: at(noise, noiseSchedule, noiseFinal),
  };
}

function ofModule(
  configuration: Extract<OptimizerConfiguration, { readonly rule: 'module' }>,
  changes: object,
): Omit<Groups[number], 'match'> {
  const { name, options } = configuration;
  const use = { key: `optimizers.${name}`, reference: configuration };
  const rule = {
    title: `${use.key}.options`,
    matricesOnly: false,
    options: loadedModule(use).optionTable,
    create: (scheduled: object) => createModuleOptimizer(use, scheduled),
  };
  return { rule, options: { ...options, ...changes } };
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
