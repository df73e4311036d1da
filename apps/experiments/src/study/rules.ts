import {
  type AdamwOptions,
  adamw,
  clipByGlobalNorm,
  exponentiatedGradient,
  ivon,
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

export type Scalar = number | string | boolean;
export type RuleOptions = { readonly [option: string]: Scalar };

interface Rule {
  /** How reports name it. */
  readonly title: string;
  /** Whether it takes matrices alone, and leaves biases, gains and position embeddings to AdamW. */
  readonly matricesOnly: boolean;
  /** What a study may set or search, besides the schedule of the learning rate. */
  readonly options: readonly string[];
  readonly create: (options: never) => Optimizer;
}

const lmdOptions = [
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
];

/** The rules that a study can compare. */
export const rules = {
  adamw: {
    title: 'AdamW',
    matricesOnly: false,
    options: ['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay'],
    create: adamw,
  },
  lion: {
    title: 'Lion',
    matricesOnly: false,
    options: ['learningRate', 'beta1', 'beta2', 'weightDecay'],
    create: lion,
  },
  sgd: {
    title: 'SGD',
    matricesOnly: false,
    options: ['learningRate', 'momentum', 'nesterov', 'weightDecay'],
    create: sgd,
  },
  madam: {
    title: 'Madam',
    matricesOnly: true,
    options: ['learningRate', 'beta', 'gradientBound', 'weightBound'],
    create: madam,
  },
  exponentiatedGradient: {
    title: 'EG±',
    matricesOnly: true,
    options: ['learningRate', 'normalize', 'floor'],
    create: exponentiatedGradient,
  },
  lieGroupMultiplicative: {
    title: 'Lie-group multiplicative',
    matricesOnly: true,
    options: ['learningRate', 'momentum', 'temperature', 'samples', 'floor'],
    create: lieGroupMultiplicative,
  },
  ivon: {
    title: 'IVON',
    matricesOnly: false,
    options: [
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
    create: ivon,
  },
  lmd: { title: 'LMD', matricesOnly: true, options: lmdOptions, create: lmd },
} as const satisfies { readonly [rule: string]: Rule };

export type RuleName = keyof typeof rules;
export const ruleNames = Object.keys(rules) as [RuleName, ...RuleName[]];

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

/** Linear warm-up to `learningRate`, then a cosine to 0 at the last step. */
function decay(learningRate: number, warmup: number, steps: number): Schedule {
  return schedules.warmup(warmup, schedules.cosine({ from: learningRate, to: 0, steps: Math.max(1, steps - warmup) }));
}

/**
 * The optimizer of a trial: the rule under the schedule, with AdamW for what a multiplicative rule cannot start from.
 *
 * @throws LmdError of the rule for an option that it does not know, or a value out of range.
 */
export function createOptimizer(settings: OptimizerSettings): Optimizer {
  const { rule, options, rest, clipNorm, warmup, steps } = settings;
  const { create, matricesOnly } = rules[rule] as Rule;
  const scheduled = { ...options, learningRate: decay(Number(options.learningRate), warmup, steps) };
  const main = create(scheduled as never);
  const all = matricesOnly
    ? parameterGroups([
        { match: lmdParameter, optimizer: main },
        {
          match: '*',
          optimizer: adamw({ ...rest, learningRate: decay(Number(rest.learningRate), warmup, steps) }),
        },
      ])
    : main;
  return clipNorm === undefined ? all : clipByGlobalNorm(all, clipNorm);
}
