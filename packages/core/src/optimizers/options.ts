import { describeValue as describe, LmdError } from '../errors.js';
import type { Schedule, WeightsKind } from './optimizer.js';

export interface NumberRange {
  readonly atLeast?: number;
  readonly above?: number;
  readonly atMost?: number;
  readonly below?: number;
  readonly integer?: boolean;
}

/** Refuses what is not a plain record and any name outside `known`, by name. */
export function checkOptionNames(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: the options are ${describe(options)}, not a record.`, {
      subject: owner,
      value: options,
      remedy: `Give a record with any of: ${known.join(', ')}.`,
    });
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new LmdError('UNKNOWN_OPTION', `${owner}: unknown option "${name}".`, {
      subject: name,
      value: (options as Record<string, unknown>)[name],
      remedy: `The options are: ${known.join(', ')}.`,
    });
  }
}

/** The value, or the default where it is absent; refused by name outside the range. NaN and infinities are always refused. */
export function numberOption(
  owner: string,
  name: string,
  value: unknown,
  defaultValue: number,
  range: NumberRange,
): number {
  const number = value === undefined ? defaultValue : value;
  const { atLeast = -Infinity, above = -Infinity, atMost = Infinity, below = Infinity, integer = false } = range;
  const fits =
    typeof number === 'number' &&
    Number.isFinite(number) &&
    number >= atLeast &&
    number > above &&
    number <= atMost &&
    number < below &&
    (!integer || Number.isSafeInteger(number));
  if (fits) return number;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: ${name} is ${describe(number)}.`, {
    subject: name,
    value: number,
    remedy: `Give ${describeRange(range)}.`,
  });
}

export function choiceOption<T extends string>(
  owner: string,
  name: string,
  value: unknown,
  defaultValue: T,
  choices: readonly T[],
): T {
  const choice = value === undefined ? defaultValue : value;
  if ((choices as readonly unknown[]).includes(choice)) return choice as T;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: ${name} is ${describe(choice)}.`, {
    subject: name,
    value: choice,
    remedy: `Give one of: ${choices.join(', ')}.`,
  });
}

export function booleanOption(owner: string, name: string, value: unknown, defaultValue: boolean): boolean {
  const flag = value === undefined ? defaultValue : value;
  if (typeof flag === 'boolean') return flag;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: ${name} is ${describe(flag)}.`, {
    subject: name,
    value: flag,
    remedy: 'Give true or false.',
  });
}

/**
 * A learning rate as a checked schedule: a number holds for every step, and what a caller's own schedule returns is checked at
 * each step, because a NaN here would silently end the run's usefulness.
 */
export function learningRateOption(
  owner: string,
  value: unknown,
  defaultValue: number,
  name = 'learningRate',
): Schedule {
  if (typeof value !== 'function') {
    const learningRate = numberOption(owner, name, value, defaultValue, { atLeast: 0 });
    return () => learningRate;
  }
  const schedule = value as Schedule;
  return (step) => numberOption(owner, `${name}(${step})`, schedule(step) ?? Number.NaN, 0, { atLeast: 0 });
}

export { describe };

const weightsKinds = ['mean', 'median', 'sample'] as const satisfies readonly WeightsKind[];

export function weightsKindOption(owner: string, name: string, value: unknown, defaultKind: WeightsKind): WeightsKind {
  return choiceOption(owner, name, value, defaultKind, weightsKinds);
}

function describeRange({ atLeast, above, atMost, below, integer = false }: NumberRange): string {
  const bounds = [
    atLeast !== undefined ? `at least ${atLeast}` : '',
    above !== undefined ? `above ${above}` : '',
    atMost !== undefined ? `at most ${atMost}` : '',
    below !== undefined ? `below ${below}` : '',
  ].filter((bound) => bound !== '');
  return [`${integer ? 'an integer' : 'a finite number'}`, bounds.join(' and ')].join(' ').trim();
}
