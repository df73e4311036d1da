import { type EagerOperations, LmdError, type Optimizer, refuseUnknownOptions, type Schedule } from '@lmd/core';
import type { Session } from './run.js';

/** Options passed to `create`: a learning rate, and in tests of invalid input one more option of any type. */
export interface OptimizerOptions {
  readonly learningRate?: number | Schedule;
  readonly [option: string]: unknown;
}

export interface OptimizerConformanceOptions {
  /** Appears in the names of the tests. */
  readonly name: string;
  /**
   * Creates the optimizer; called many times. The options passed override yours:
   * `(options) => myOptimizer({ momentum: 0.9, ...options })`.
   */
  readonly create: (options: OptimizerOptions) => Optimizer;
  /** Creates the operations, on any backend; the reference backend is exact and fast enough. */
  readonly createOperations: () => EagerOperations;
  /**
   * The learning rate for each target, decayed to a hundredth of it by a cosine schedule; a record by target name if
   * they differ.
   */
  readonly learningRate: number | { readonly [target: string]: number };
  /**
   * For each of your options, values that must be rejected with an error that names the option. Values of
   * `learningRate` are added.
   */
  readonly refused?: { readonly [option: string]: readonly unknown[] };
  /**
   * The fraction of the initial loss of a target that may remain. Default 0.02. Optimizers with large noise or a strong
   * prior need a larger value.
   */
  readonly remainingLoss?: number | { readonly [target: string]: number };
  /** Number of steps on each target. Default 300. */
  readonly steps?: number;
}

export type ResolvedOptimizerOptions = Required<OptimizerConformanceOptions>;

/** One test; `run` resolves to the problem, if any. Its resources are released after it. */
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
