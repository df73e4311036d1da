import { LmdError } from '../errors.js';
import { adamw } from './adamw.js';
import { clipByGlobalNorm } from './clip.js';
import { exponentiatedGradient } from './exponentiated-gradient.js';
import { frozen } from './frozen.js';
import { ivon } from './ivon.js';
import { lieGroupAdditive } from './lie-group-additive.js';
import { lieGroupAffine } from './lie-group-affine.js';
import { lieGroupMultiplicative } from './lie-group-multiplicative.js';
import { lion } from './lion.js';
import { lmd } from './lmd.js';
import { madam } from './madam.js';
import type { Optimizer, Schedule } from './optimizer.js';
import { checkOptionNames, describe, numberOption } from './options.js';
import { type ParameterGroup, parameterGroups } from './parameter-groups.js';
import { constant, cosine, linear, warmup as rising } from './schedules.js';
import { sgd } from './sgd.js';

interface RuleEntry {
  /** How reports name it. */
  readonly title: string;
  /** Whether it starts from the spread of random values, and so leaves biases, gains and tokens to an additive rule beside it. */
  readonly matricesOnly: boolean;
  /** The options that are step sizes, which follow the schedule. */
  readonly stepSizes: readonly string[];
  readonly create: (options: never) => Optimizer;
}

const learningRate = ['learningRate'];
const additive = { matricesOnly: false, stepSizes: learningRate };
const multiplicative = { matricesOnly: true, stepSizes: learningRate };

/** The rules, by the names that configurations give them. */
export const optimizerRules = {
  lmd: { title: 'LMD', ...multiplicative, create: lmd },
  adamw: { title: 'AdamW', ...additive, create: adamw },
  lion: { title: 'Lion', ...additive, create: lion },
  sgd: { title: 'SGD', ...additive, create: sgd },
  madam: { title: 'Madam', ...multiplicative, create: madam },
  exponentiatedGradient: { title: 'EG±', ...multiplicative, create: exponentiatedGradient },
  lieGroupAdditive: { title: 'Lie-group additive', ...additive, create: lieGroupAdditive },
  lieGroupMultiplicative: { title: 'Lie-group multiplicative', ...multiplicative, create: lieGroupMultiplicative },
  lieGroupAffine: {
    title: 'Lie-group affine',
    matricesOnly: false,
    stepSizes: ['learningRate', 'scaleLearningRate'],
    create: lieGroupAffine,
  },
  ivon: { title: 'IVON', ...additive, create: ivon },
  frozen: { title: 'frozen', matricesOnly: false, stepSizes: [], create: frozen },
} as const satisfies { readonly [rule: string]: RuleEntry };

export type OptimizerRuleName = keyof typeof optimizerRules;

/** One rule, as plain data. */
export interface RuleDescription {
  readonly rule: OptimizerRuleName;
  /** As the rule takes them; a step size is the schedule's peak. Those that are undefined are left out. */
  readonly options?: { readonly [option: string]: unknown };
}

/** How step sizes go over a run. */
export interface ScheduleDescription {
  readonly kind: 'constant' | 'linear' | 'cosine';
  /** Steps of linear rise to the peak. Default 0. */
  readonly warmup?: number;
  /** Steps of the whole run, at the last of which `linear` and `cosine` are at their end: step `steps` − 1, counted from 0. */
  readonly steps?: number;
  /** Instead of `steps`: steps from the peak to the end, which is reached at step `warmup` + `decay`. */
  readonly decay?: number;
  /** What is left at the end, as a fraction of the peak. Default 0. */
  readonly final?: number;
}

/** An optimizer as plain data, but for the predicates of its groups. */
export interface OptimizerDescription {
  /** As `parameterGroups` takes them. One group that matches `'*'` is the rule by itself. */
  readonly groups: readonly (RuleDescription & { readonly match: ParameterGroup['match'] })[];
  /** Default: constant. */
  readonly schedule?: ScheduleDescription;
  /** Bound of the gradient's global norm, over all groups together. Default: none. */
  readonly clipNorm?: number | undefined;
}

/**
 * The optimizer that a description stands for: what configuration files, and anybody who compares rules, need to have once.
 *
 * @throws LmdError `INVALID_ARGUMENT` for an unknown rule or schedule; and what the rules, `parameterGroups` and `clipByGlobalNorm` throw.
 */
export function optimizerFromDescription(description: OptimizerDescription): Optimizer {
  const owner = 'optimizerFromDescription';
  checkOptionNames(owner, description, ['groups', 'schedule', 'clipNorm']);
  const { groups, schedule = { kind: 'constant' }, clipNorm } = description;
  if (!Array.isArray(groups) || groups.length === 0) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: the groups are ${describe(groups)} without a group.`, {
      subject: 'groups',
      value: groups,
      remedy: "Give at least one: [{ match: '*', rule: 'lmd' }].",
    });
  }
  const over = scheduleOf(schedule);
  const built = groups.map(({ match, ...rule }) => ({ match, optimizer: ruleOf(rule, over) }));
  const [only] = built;
  const optimizer = built.length === 1 && only!.match === '*' ? only!.optimizer : parameterGroups(built);
  return clipNorm === undefined ? optimizer : clipByGlobalNorm(optimizer, clipNorm);
}

function ruleOf(description: RuleDescription, over: (peak: number) => Schedule): Optimizer {
  checkOptionNames('optimizerFromDescription: a group', description, ['rule', 'options']);
  const { rule, options = {} } = description;
  if (!Object.hasOwn(optimizerRules, rule)) throw unknown('rule', rule, Object.keys(optimizerRules));
  const { create, stepSizes }: RuleEntry = optimizerRules[rule];
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const scheduled = given.map(([name, value]) => [
    name,
    stepSizes.includes(name) && typeof value === 'number' ? over(value) : value,
  ]);
  return create(Object.fromEntries(scheduled) as never);
}

function scheduleOf(description: ScheduleDescription): (peak: number) => Schedule {
  const owner = 'optimizerFromDescription: schedule';
  checkOptionNames(owner, description, ['kind', 'warmup', 'steps', 'decay', 'final']);
  const { kind, warmup = 0, final = 0 } = description;
  if (kind === 'constant') return (peak) => rising(warmup, constant(peak));
  if (kind !== 'linear' && kind !== 'cosine') throw unknown('schedule', kind, ['constant', 'linear', 'cosine']);
  const decaying = kind === 'linear' ? linear : cosine;
  const steps = decayOf(owner, description, warmup);
  return (peak) => rising(warmup, decaying({ from: peak, to: final * peak, steps }));
}

function decayOf(owner: string, { steps, decay }: ScheduleDescription, warmup: number): number {
  if (steps !== undefined && decay !== undefined) {
    throw new LmdError('INVALID_ARGUMENT', `${owner} has both steps and decay.`, {
      subject: 'decay',
      value: decay,
      remedy: 'Give the steps of the whole run, or those from the peak to the end.',
    });
  }
  if (steps === undefined) return numberOption(owner, 'decay', decay, Number.NaN, { atLeast: 1, integer: true });
  // A run that is no longer than its warm-up ends at the peak.
  return Math.max(1, numberOption(owner, 'steps', steps, Number.NaN, { atLeast: 0, integer: true }) - warmup - 1);
}

function unknown(subject: string, value: unknown, allowed: readonly string[]): LmdError {
  return new LmdError('INVALID_ARGUMENT', `optimizerFromDescription: ${subject} is ${describe(value)}.`, {
    subject,
    value,
    remedy: `Give one of ${allowed.join(', ')}.`,
  });
}
