import {
  adamw,
  clipByGlobalNorm,
  exponentiatedGradient,
  ivon,
  lieGroupAdditive,
  lieGroupAffine,
  lieGroupMultiplicative,
  lion,
  lmd,
  madam,
  type Optimizer,
  parameterGroups,
  type Schedule,
  schedules,
  sgd,
} from '@lmd/core';
import { lmdParameter } from '@lmd/models';
import type { OptimizerConfiguration, ScheduleConfiguration } from '../configuration/optimizer-schema.js';

type RuleName = OptimizerConfiguration['rule'];

/** The rules by name. The schema has checked the options of each, so they are passed on as they are. */
const rules: { readonly [Name in RuleName]: (options: never) => Optimizer } = {
  lmd,
  adamw,
  lion,
  sgd,
  madam,
  exponentiatedGradient,
  lieGroupAdditive,
  lieGroupMultiplicative,
  lieGroupAffine,
  ivon,
};

function learningRate(peak: number, steps: number, { kind, warmup, final }: ScheduleConfiguration): Schedule {
  const decay = { from: peak, to: final * peak, steps: Math.max(1, steps - warmup - 1) };
  const after = kind === 'constant' ? schedules.constant(peak) : schedules[kind](decay);
  return schedules.warmup(warmup, after);
}

/** The step sizes of the rules. */
const scheduled = ['learningRate', 'scaleLearningRate'];

/** Options as a rule takes them: learning rates follow the schedule, and what was left out stays out. */
function ruleOptions(options: object, rate: (peak: number) => Schedule): object {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([key, value]) => [key, scheduled.includes(key) ? rate(value) : value]));
}

/** The rule that a configuration describes, with its schedule over `steps` steps. */
export function buildOptimizer(configuration: OptimizerConfiguration, steps: number): Optimizer {
  const { name: _, rule, schedule, clipNorm, ...options } = configuration;
  const build = (rule: RuleName, options: object) =>
    rules[rule](ruleOptions(options, (peak) => learningRate(peak, steps, schedule)) as never);
  const clipped = (optimizer: Optimizer) =>
    clipNorm === undefined ? optimizer : clipByGlobalNorm(optimizer, clipNorm);
  if (!('rest' in options)) return clipped(build(rule, options));
  const { rest, ...own } = options;
  return clipped(
    parameterGroups([
      { match: lmdParameter, optimizer: build(rule, own) },
      { match: '*', optimizer: build('adamw', rest) },
    ]),
  );
}
