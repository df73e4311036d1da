import { type AdamwOptions, type Optimizer, optimizerFromDescription, optimizerRules } from '@lmd/core';
import { lmdParameter } from '@lmd/models';

export type Scalar = number | string | boolean;
export type RuleOptions = { readonly [option: string]: Scalar };

/** The rules that a study can compare, and what it may set or search of each. The learning rate always follows the schedule. */
const searchable = {
  adamw: ['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay'],
  lion: ['learningRate', 'beta1', 'beta2', 'weightDecay'],
  sgd: ['learningRate', 'momentum', 'nesterov', 'weightDecay'],
  madam: ['learningRate', 'beta', 'gradientBound', 'weightBound'],
  exponentiatedGradient: ['learningRate', 'normalize', 'floor'],
  lieGroupMultiplicative: ['learningRate', 'momentum', 'temperature', 'samples', 'floor'],
  ivon: [
    'effectiveSampleSize',
    'learningRate',
    'beta1',
    'beta2',
    'weightDecay',
    'initialHessian',
    'rescaleLearningRate',
    'clipRadius',
    'samples',
  ],
  lmd: [
    'learningRate',
    'beta1',
    'beta2',
    'regularization',
    'regularizer',
    'noise',
    'samples',
    'gradientScaling',
    'useSign',
    'priorMedianFloor',
  ],
} as const;

export type RuleName = keyof typeof searchable;
export const ruleNames = Object.keys(searchable) as [RuleName, ...RuleName[]];

interface Rule {
  readonly title: string;
  readonly matricesOnly: boolean;
  readonly options: readonly string[];
}

/** Each rule as `@lmd/core` describes it, with the options of a study. */
export const rules = Object.fromEntries(
  ruleNames.map((name): [RuleName, Rule] => {
    const { title, matricesOnly } = optimizerRules[name];
    return [name, { title, matricesOnly, options: searchable[name] }];
  }),
) as { readonly [Name in RuleName]: Rule };

export interface OptimizerSettings {
  readonly rule: RuleName;
  readonly options: RuleOptions;
  /** AdamW beside a rule that takes matrices alone. */
  readonly rest: AdamwOptions;
  /** Bound of the gradient's global norm; none where absent. */
  readonly clipNorm?: number | undefined;
  readonly warmup: number;
  readonly steps: number;
}

/**
 * The optimizer of a trial: the rule under linear warm-up and a cosine to 0 at the last step, with AdamW for what a multiplicative
 * rule cannot start from.
 *
 * @throws LmdError of the rule for an option that it does not know, or a value out of range.
 */
export function createOptimizer(settings: OptimizerSettings): Optimizer {
  const { rule, options, rest, clipNorm, warmup, steps } = settings;
  const beside = { match: '*', rule: 'adamw', options: { ...rest } } as const;
  return optimizerFromDescription({
    groups: rules[rule].matricesOnly
      ? [{ match: lmdParameter, rule, options }, beside]
      : [{ match: '*', rule, options }],
    schedule: { kind: 'cosine', warmup, decay: Math.max(1, steps - warmup) },
    clipNorm,
  });
}
