import { describeValue as describe, LmdError } from '../errors.js';
import { numberOption } from '../options/checks.js';
import { choice, integer, number } from '../options/declare.js';
import type { OptionsOf, OptionTable, ResolvedOptions } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { Schedule } from '../options/schedule.js';
import { refuseUnknownOptions } from '../options/unknown-option.js';
import { adamw, adamwOptionTable } from './adamw.js';
import { clipByGlobalNorm } from './clip.js';
import { exponentiatedGradient, exponentiatedGradientOptionTable } from './exponentiated-gradient.js';
import { frozen } from './frozen.js';
import { ivon, ivonOptionTable } from './ivon.js';
import { lieGroupAdditive, lieGroupAdditiveOptionTable } from './lie-group-additive.js';
import { lieGroupAffine, lieGroupAffineOptionTable } from './lie-group-affine.js';
import { lieGroupMultiplicative, lieGroupMultiplicativeOptionTable } from './lie-group-multiplicative.js';
import { lion, lionOptionTable } from './lion.js';
import { lmd } from './lmd.js';
import { lmdOptionTable } from './lmd-options.js';
import { madam, madamOptionTable } from './madam.js';
import { multiplicativeWeights, multiplicativeWeightsOptionTable } from './multiplicative-weights.js';
import { muon, muonOptionTable } from './muon.js';
import type { Optimizer } from './optimizer.js';
import { type ParameterGroup, parameterGroups } from './parameter-groups.js';
import { constant, cosine, linear, warmup as rising } from './schedules.js';
import { sgd, sgdOptionTable } from './sgd.js';
import { signum, signumOptionTable } from './signum.js';

/** A rule: one of ours, or a third party's. */
export interface OptimizerRule {
  /** How reports name it. */
  readonly title: string;
  /**
   * Whether it is for matrices (or needs the spread of random values to start from), and so leaves biases, gains and
   * tokens to an additive rule beside it.
   */
  readonly matricesOnly: boolean;
  /** Whether it draws its weights from a posterior. Default: it draws the weights that it stores. */
  readonly hasPosterior?: boolean;
  /** The options that it takes; its step sizes, which follow the schedule, are those of the kind `schedule`. */
  readonly options: OptionTable;
  readonly create: (options: never) => Optimizer;
}

/** The rules, by the names that configurations give them. */
export const optimizerRules = {
  lmd: { title: 'LMD', matricesOnly: true, hasPosterior: true, options: lmdOptionTable, create: lmd },
  adamw: { title: 'AdamW', matricesOnly: false, hasPosterior: false, options: adamwOptionTable, create: adamw },
  muon: { title: 'Muon', matricesOnly: true, hasPosterior: false, options: muonOptionTable, create: muon },
  lion: { title: 'Lion', matricesOnly: false, hasPosterior: false, options: lionOptionTable, create: lion },
  signum: { title: 'Signum', matricesOnly: false, hasPosterior: false, options: signumOptionTable, create: signum },
  sgd: { title: 'SGD', matricesOnly: false, hasPosterior: false, options: sgdOptionTable, create: sgd },
  madam: { title: 'Madam', matricesOnly: true, hasPosterior: false, options: madamOptionTable, create: madam },
  multiplicativeWeights: {
    title: 'MWU',
    matricesOnly: true,
    hasPosterior: false,
    options: multiplicativeWeightsOptionTable,
    create: multiplicativeWeights,
  },
  exponentiatedGradient: {
    title: 'EG±',
    matricesOnly: true,
    hasPosterior: false,
    options: exponentiatedGradientOptionTable,
    create: exponentiatedGradient,
  },
  lieGroupAdditive: {
    title: 'Lie-group additive',
    matricesOnly: false,
    hasPosterior: true,
    options: lieGroupAdditiveOptionTable,
    create: lieGroupAdditive,
  },
  lieGroupMultiplicative: {
    title: 'Lie-group multiplicative',
    matricesOnly: true,
    hasPosterior: true,
    options: lieGroupMultiplicativeOptionTable,
    create: lieGroupMultiplicative,
  },
  lieGroupAffine: {
    title: 'Lie-group affine',
    matricesOnly: false,
    hasPosterior: true,
    options: lieGroupAffineOptionTable,
    create: lieGroupAffine,
  },
  ivon: { title: 'IVON', matricesOnly: false, hasPosterior: true, options: ivonOptionTable, create: ivon },
  frozen: { title: 'frozen', matricesOnly: false, hasPosterior: false, options: {}, create: frozen },
} as const satisfies { readonly [rule: string]: OptimizerRule };

export type OptimizerRuleName = keyof typeof optimizerRules;

/** One rule, as plain data. */
export interface RuleDescription {
  /** The name of a rule of ours, or a rule. */
  readonly rule: OptimizerRuleName | OptimizerRule;
  /** As the rule takes them; a step size is the schedule's peak. Those that are undefined are left out. */
  readonly options?: { readonly [option: string]: unknown };
  /**
   * Schedules of single options that may have one, such as `noise`, over the number given (or the default). A learning
   * rate that is not listed follows the schedule of the description; all else that is not listed is constant.
   */
  readonly schedules?: { readonly [option: string]: ScheduleDescription };
}

/** How step sizes go over a run, declared once. */
export const scheduleOptionTable = {
  /** Decay of the learning rate after warm-up. `constant`, `linear` or `cosine`; required. */
  kind: choice(['constant', 'linear', 'cosine'], {
    required: true,
    describe: 'Decay of the learning rate after warm-up.',
  }),
  /** Number of steps of linear warm-up to the peak. A whole number, at least 0; default 0. */
  warmup: integer({ atLeast: 0, default: 0, describe: 'Number of steps of linear warm-up to the peak.' }),
  /**
   * Total number of steps of the run. `linear` and `cosine` reach their end at the last one: step `steps` − 1, counted
   * from 0. A whole number, at least 0.
   */
  steps: integer({
    atLeast: 0,
    describe:
      'Total number of steps of the run. `linear` and `cosine` reach their end at the last one: step `steps` − ' +
      '1, counted from 0.',
  }),
  /**
   * Instead of `steps`: number of steps from the peak to the end, which is reached at step `warmup` + `decay`. A whole
   * number, at least 1.
   */
  decay: integer({
    atLeast: 1,
    describe:
      'Instead of `steps`: number of steps from the peak to the end, which is reached at step `warmup` + `decay`.',
  }),
  /** Learning rate at the end, as a fraction of the peak. Ignored by `constant`. At least 0; default 0. */
  final: number({
    atLeast: 0,
    default: 0,
    describe: 'Learning rate at the end, as a fraction of the peak. Ignored by `constant`.',
  }),
} as const satisfies OptionTable;

export interface ScheduleDescription extends OptionsOf<typeof scheduleOptionTable> {}

/** The bound of gradients, declared once. */
export const clippingOptionTable = {
  /** Gradient clipping: maximum global norm of the gradients of all groups together. Default: no clipping. Above 0. */
  clipNorm: number({
    above: 0,
    describe: 'Gradient clipping: maximum global norm of the gradients of all groups together. Default: no clipping.',
  }),
} as const satisfies OptionTable;

/** An optimizer as plain data, but for the predicates of its groups. */
export interface OptimizerDescription extends OptionsOf<typeof clippingOptionTable> {
  /** As `parameterGroups` takes them. One group that matches `'*'` is the rule by itself. */
  readonly groups: readonly (RuleDescription & { readonly match: ParameterGroup['match'] })[];
  /** Default: constant. */
  readonly schedule?: ScheduleDescription;
}

/**
 * Creates the optimizer of a description, as in configuration files.
 *
 * @throws LmdError `INVALID_ARGUMENT` for an unknown optimizer (`rule`) or schedule, and the errors of the optimizers,
 *   `parameterGroups` and `clipByGlobalNorm`.
 */
export function optimizerFromDescription(description: OptimizerDescription): Optimizer {
  const owner = 'optimizerFromDescription';
  refuseUnknownOptions(owner, description, ['groups', 'schedule', 'clipNorm']);
  const { groups, schedule = { kind: 'constant' }, clipNorm } = description;
  if (!Array.isArray(groups) || groups.length === 0) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: the groups are ${describe(groups)} without a group.`, {
      subject: 'groups',
      value: groups,
      remedy: "Pass at least one: [{ match: '*', rule: 'lmd' }].",
    });
  }
  const over = scheduleOf(schedule);
  const built = groups.map(({ match, ...rule }) => ({ match, optimizer: ruleOf(rule, over) }));
  const [only] = built;
  const optimizer = built.length === 1 && only!.match === '*' ? only!.optimizer : parameterGroups(built);
  return clipNorm === undefined ? optimizer : clipByGlobalNorm(optimizer, clipNorm);
}

function ruleOf(description: RuleDescription, over: (peak: number) => Schedule): Optimizer {
  refuseUnknownOptions('optimizerFromDescription: a group', description, ['rule', 'options', 'schedules']);
  const { rule, options = {}, schedules = {} } = description;
  if (typeof rule === 'string' && !Object.hasOwn(optimizerRules, rule)) {
    throw unknown('rule', rule, Object.keys(optimizerRules));
  }
  const { create, options: table }: OptimizerRule = typeof rule === 'string' ? optimizerRules[rule] : rule;
  const title = typeof rule === 'string' ? rule : rule.title;
  refuseUnknownOptions(title, options, Object.keys(table));
  const scheduleable = Object.keys(table).filter((name) => table[name]!.kind === 'schedule');
  refuseUnknownOptions(`optimizerFromDescription: the schedules of ${title}`, schedules, scheduleable);
  const scheduled = Object.entries(table).flatMap(([name, option]) => {
    const own = Object.hasOwn(schedules, name) ? schedules[name] : undefined;
    const given = Object.hasOwn(options, name) ? options[name] : undefined;
    const value = given === undefined && option.kind === 'schedule' ? option.default : given;
    if (value === undefined) return [];
    if (option.kind !== 'schedule' || typeof value !== 'number') return [[name, value]];
    // Checked here: inside a schedule it would be refused at its step.
    if (own?.kind === 'linear' || own?.kind === 'cosine') {
      numberOption(title, `${name} at its end`, value * (own.final ?? 0), option.range);
    }
    const follow = own !== undefined ? scheduleOf(own) : option.isLearningRate ? over : constant;
    return [[name, follow(numberOption(title, name, value, option.range))]];
  });
  return create(Object.fromEntries(scheduled) as never);
}

function scheduleOf(description: ScheduleDescription): (peak: number) => Schedule {
  const owner = 'optimizerFromDescription: schedule';
  const { kind, warmup, final, ...ends } = resolveOptions(owner, scheduleOptionTable, description);
  if (kind === 'constant') return (peak) => rising(warmup, constant(peak));
  const decaying = kind === 'linear' ? linear : cosine;
  const steps = decayOf(owner, ends, warmup);
  return (peak) => rising(warmup, decaying({ from: peak, to: final * peak, steps }));
}

type Ends = Pick<ResolvedOptions<typeof scheduleOptionTable>, 'steps' | 'decay'>;

function decayOf(owner: string, { steps, decay }: Ends, warmup: number): number {
  if (steps !== undefined && decay !== undefined) {
    throw new LmdError('INVALID_ARGUMENT', `${owner} has both steps and decay.`, {
      subject: 'decay',
      value: decay,
      remedy: 'Use either steps (of the whole run) or decay (from the peak to the end).',
    });
  }
  if (steps === undefined) return numberOption(owner, 'decay', decay, { atLeast: 1, integer: true });
  // A run that is no longer than its warm-up ends at the peak.
  return Math.max(1, steps - warmup - 1);
}

function unknown(subject: string, value: unknown, allowed: readonly string[]): LmdError {
  return new LmdError('INVALID_ARGUMENT', `optimizerFromDescription: ${subject} is ${describe(value)}.`, {
    subject,
    value,
    remedy: `Use one of ${allowed.join(', ')}.`,
  });
}
