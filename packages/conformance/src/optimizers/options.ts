import { type EagerOperations, LmdError, type Optimizer, refuseUnknownOptions, type Schedule } from '@lmd/core';
import type { Session } from './run.js';

/** What the suite asks `create` for: a learning rate, and in its tests of bad input one more option, of any type. */
export interface OptimizerOptions {
  readonly learningRate?: number | Schedule;
  readonly [option: string]: unknown;
}

export interface OptimizerConformanceOptions {
  /** Stands in the names of the tests. */
  readonly name: string;
  /**
   * Makes the rule; called many times. The options that it is given override yours:
   * `(options) => myRule({ momentum: 0.9, ...options })`.
   */
  readonly create: (options: OptimizerOptions) => Optimizer;
  /** Makes the operations to run on, of a backend of your choice: the reference backend is exact and fast enough. */
  readonly createOperations: () => EagerOperations;
  /**
   * The learning rate that each target is descended with, along a cosine to a hundredth of it. By the target's name if
   * they differ.
   */
  readonly learningRate: number | { readonly [target: string]: number };
  /**
   * For each option of yours, values that it must refuse with an error that names it. Those of `learningRate` are
   * added.
   */
  readonly refused?: { readonly [option: string]: readonly unknown[] };
  /**
   * Which part of a target's initial loss may remain. Default 0.02: a rule of large noise or a strong prior ends
   * further up.
   */
  readonly remainingLoss?: number | { readonly [target: string]: number };
  /** Steps on each target. Default 300. */
  readonly steps?: number;
}

export type ResolvedOptimizerOptions = Required<OptimizerConformanceOptions>;

/** One test; what `run` resolves to says what is wrong. What it opens is closed after it. */
export interface OptimizerCase {
  readonly name: string;
  run(options: ResolvedOptimizerOptions, open: () => Session): Promise<string | undefined>;
}

const known: readonly (keyof OptimizerConformanceOptions)[] = [
  'name',
  'create',
  'createOperations',
  'learningRate',
  'refused',
  'remainingLoss',
  'steps',
];

export function resolveOptimizerOptions(options: OptimizerConformanceOptions): ResolvedOptimizerOptions {
  refuseUnknownOptions('optimizerConformance', options, known);
  const { name, create, createOperations, learningRate, refused = {}, remainingLoss = 0.02, steps = 300 } = options;
  if (typeof name !== 'string' || name === '') throw invalid('name', name, 'Use the name of the optimizer.');
  if (typeof create !== 'function') throw invalid('create', create, 'Use a function that creates the optimizer.');
  if (typeof createOperations !== 'function') {
    throw invalid('createOperations', createOperations, 'Use a function that creates operations.');
  }
  checkNumbers('learningRate', learningRate);
  checkNumbers('remainingLoss', remainingLoss);
  if (!Number.isSafeInteger(steps) || steps < 1) throw invalid('steps', steps, 'Use an integer of at least 1.');
  return { name, create, createOperations, learningRate, refused, remainingLoss, steps };
}

/** A setting that may differ by target. */
export function settingOf(setting: number | { readonly [target: string]: number }, target: string): number {
  if (typeof setting === 'number') return setting;
  const value = setting[target];
  if (value !== undefined) return value;
  throw invalid(
    `the setting of the target '${target}'`,
    value,
    `Add it to the record, which has: ${Object.keys(setting).join(', ')}.`,
  );
}

function checkNumbers(subject: string, setting: unknown): void {
  const values = typeof setting === 'object' && setting !== null ? Object.values(setting) : [setting];
  for (const value of values) {
    if (typeof value === 'number' && value > 0 && Number.isFinite(value)) continue;
    throw invalid(subject, value, 'Use a number above 0, or a record of numbers by target name.');
  }
}

function invalid(subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `optimizerConformance: ${subject} is ${String(value)}.`, {
    subject,
    value,
    remedy,
  });
}
