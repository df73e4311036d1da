import {
  type EagerOperations,
  LmdError,
  type Optimizer,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  type Schedule,
} from '@lmd/core';
import type { Session } from './run.js';

/** A number, or one for each target. */
const byTarget = [
  { kind: 'number', range: { above: 0 } },
  { kind: 'record', range: { above: 0 }, by: 'target' },
] as const;

/** Options passed to `create`: a learning rate, and in tests of invalid input one more option of any type. */
export interface OptimizerOptions {
  readonly learningRate?: number | Schedule;
  readonly [option: string]: unknown;
}

/** The options of `optimizerConformance`, declared once. */
export const optimizerConformanceOptionTable = {
  /** Name of the optimizer in the names of the tests. Required. */
  name: option.text({ required: true, describe: 'Name of the optimizer in the names of the tests.' }),
  /**
   * Creates the optimizer; called many times. The options passed override yours: `(options) => myOptimizer({ momentum:
   * 0.9, ...options })`. A function; required.
   */
  create: option.value<(options: OptimizerOptions) => Optimizer>({
    required: true,
    describe:
      'Creates the optimizer; called many times. The options passed override yours: ' +
      '`(options) => myOptimizer({ momentum: 0.9, ...options })`.',
    allowed: 'a function',
    check: (given) => typeof given === 'function',
  }),
  /** Creates the operations, on any backend; the reference backend is exact and fast enough. A function; required. */
  createOperations: option.value<() => EagerOperations>({
    required: true,
    describe: 'Creates the operations, on any backend; the reference backend is exact and fast enough.',
    allowed: 'a function',
    check: (given) => typeof given === 'function',
  }),
  /**
   * The learning rate for each target, decayed to a hundredth of it by a cosine schedule. A number above 0 or numbers
   * above 0 by the name of the target; required.
   */
  learningRate: option.either(byTarget, {
    required: true,
    describe: 'The learning rate for each target, decayed to a hundredth of it by a cosine schedule.',
  }),
  /**
   * For each of your options, values that must be rejected with an error that names the option. Values of
   * `learningRate` are added. An object.
   */
  refused: option.object<{ readonly [option: string]: readonly unknown[] }>({
    describe:
      'For each of your options, values that must be rejected with an error that names the option. Values of ' +
      '`learningRate` are added.',
  }),
  /**
   * The fraction of the initial loss of a target that may remain. Optimizers with large noise or a strong prior need a
   * larger value. A number above 0 or numbers above 0 by the name of the target; default 0.02.
   */
  remainingLoss: option.either(byTarget, {
    default: 0.02,
    describe:
      'The fraction of the initial loss of a target that may remain. Optimizers with large noise or a strong prior ' +
      'need a larger value.',
  }),
  /** Number of steps on each target. A whole number, at least 1; default 300. */
  steps: option.integer({ atLeast: 1, default: 300, describe: 'Number of steps on each target.' }),
} as const satisfies OptionTable;

export interface OptimizerConformanceOptions extends OptionsOf<typeof optimizerConformanceOptionTable> {}

export type ResolvedOptimizerOptions = {
  readonly [Name in keyof OptimizerConformanceOptions]-?: NonNullable<OptimizerConformanceOptions[Name]>;
};

/** One test; `run` resolves to the problem, if any. Its resources are released after it. */
export interface OptimizerCase {
  readonly name: string;
  run(options: ResolvedOptimizerOptions, open: () => Session): Promise<string | undefined>;
}

export function resolveOptimizerOptions(options: OptimizerConformanceOptions): ResolvedOptimizerOptions {
  const given = resolveOptions('optimizerConformance', optimizerConformanceOptionTable, options);
  return { ...given, refused: given.refused ?? {} };
}

/** A setting that may differ by target. */
export function settingOf(setting: number | { readonly [target: string]: number }, target: string): number {
  if (typeof setting === 'number') return setting;
  const value = setting[target];
  if (value !== undefined) return value;
  throw new LmdError('INVALID_ARGUMENT', `optimizerConformance: the target "${target}" has no setting.`, {
    subject: target,
    value,
    remedy: `Add it to the record, which has: ${Object.keys(setting).join(', ')}.`,
  });
}
