import {
  injectWeightNoise,
  type Model,
  type Optimizer,
  optimizerFromDescription,
  type RuleDescription,
} from '@lmd/core';
import { groupsBesideAdamw, lmdParameter } from '@lmd/models';
import type { LmdConfiguration, OptimizerConfiguration } from '../configuration/optimizer-schema.js';
import { createModuleOptimizer } from '../modules/create.js';
import { loadedModule } from '../modules/load.js';

/**
 * Builds the optimizer of a configuration, with its schedule over `steps` steps. The schema has already checked the
 * options.
 *
 * @param model the trained part of the model. In fine-tuning, a parameter group may have no weights.
 */
export function buildOptimizer(configuration: OptimizerConfiguration, steps: number, { parameters }: Model): Optimizer {
  const { schedule, clipNorm } = configuration;
  const { rest, ...own } = describeOptimizer(configuration, steps);
  const optimizer = optimizerFromDescription({
    groups: groupsBesideAdamw(own, parameters, rest),
    schedule: { ...schedule, steps },
    clipNorm,
  });
  return withWeightNoise(optimizer, configuration);
}

/** The configured noise on the matrices that LMD would train, so that every rule has it on the same weights. */
function withWeightNoise(optimizer: Optimizer, { weightNoise }: OptimizerConfiguration): Optimizer {
  return injectWeightNoise(optimizer, { weightNoise }, lmdParameter);
}

/**
 * The optimizer of a configuration with another course of its learning rate, by the step. Other step sizes, such as
 * that of `rest`, are constant; schedules of λ and σ run over `steps`.
 */
export function buildOptimizerWithRate(
  configuration: OptimizerConfiguration,
  learningRate: (step: number) => number,
  steps: number,
  { parameters }: Model,
): Optimizer {
  const { rest, options, ...own } = describeOptimizer(configuration, steps);
  const groups = groupsBesideAdamw({ ...own, options: { ...options, learningRate } }, parameters, rest);
  const optimizer = optimizerFromDescription({ groups, clipNorm: configuration.clipNorm });
  return withWeightNoise(optimizer, configuration);
}

/** An optimizer as plain data, with the options of AdamW for the weights that it does not train. */
export type OptimizerSettings = RuleDescription & { readonly rest?: NonNullable<RuleDescription['options']> };

/** The optimizer of a configuration as data, without the schedule of its learning rate. */
export function describeOptimizer(configuration: OptimizerConfiguration, steps: number): OptimizerSettings {
  if (configuration.rule === 'module') return ofModule(configuration);
  const { name: _, precision: __, schedule: ___, clipNorm: ____, weightNoise: _____, ...given } = configuration;
  const { rule, ...described } = given.rule === 'lmd' ? withSchedules(given, steps) : given;
  const { rest, schedules = undefined, ...options } = { rest: undefined, schedules: undefined, ...described };
  return {
    rule,
    options,
    ...(schedules === undefined ? {} : { schedules }),
    ...(rest === undefined ? {} : { rest: { ...rest } }),
  };
}

/** The keys of schedules of single options as `optimizerFromDescription` takes them. */
function withSchedules<
  Given extends Omit<LmdConfiguration, 'name' | 'precision' | 'schedule' | 'clipNorm' | 'weightNoise'>,
>(given: Given, steps: number) {
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

function ofModule(configuration: Extract<OptimizerConfiguration, { readonly rule: 'module' }>): OptimizerSettings {
  const { name, options } = configuration;
  const use = { key: `optimizers.${name}`, reference: configuration };
  const rule = {
    title: `${use.key}.options`,
    matricesOnly: false,
    options: loadedModule(use).optionTable,
    create: (scheduled: object) => createModuleOptimizer(use, scheduled),
  };
  return { rule, options };
}
