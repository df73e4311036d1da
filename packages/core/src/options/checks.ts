import { describeValue, LmdError } from '../errors.js';
import type { Schedule } from '../optimizers/optimizer.js';
import type { NumberRange } from './option.js';

/** The number, refused by name outside the range. NaN and infinities are always refused. */
export function numberOption(
  owner: string,
  name: string,
  value: unknown,
  range: NumberRange & { readonly integer?: boolean },
): number {
  const { atLeast = -Infinity, above = -Infinity, atMost = Infinity, below = Infinity, integer = false } = range;
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= atLeast &&
    value > above &&
    value <= atMost &&
    value < below &&
    (!integer || Number.isSafeInteger(value));
  if (fits) return value;
  throw notAllowed(owner, name, value, describeRange(range, integer));
}

export function choiceOption<T extends string>(owner: string, name: string, value: unknown, choices: readonly T[]): T {
  if ((choices as readonly unknown[]).includes(value)) return value as T;
  throw notAllowed(owner, name, value, `one of: ${choices.join(', ')}`);
}

export function booleanOption(owner: string, name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw notAllowed(owner, name, value, 'true or false');
}

/**
 * A step size as a checked schedule: a number holds for every step, and what a caller's own schedule returns is checked at
 * each step, because a NaN here would silently end the run's usefulness.
 */
export function scheduleOption(owner: string, name: string, value: unknown, range: NumberRange): Schedule {
  if (typeof value !== 'function') {
    const checked = numberOption(owner, name, value, range);
    return () => checked;
  }
  const schedule = value as Schedule;
  return (step) => numberOption(owner, `${name}(${step})`, schedule(step) ?? Number.NaN, range);
}

/** `a finite number at least 0 and below 1`. */
export function describeRange({ atLeast, above, atMost, below }: NumberRange, integer = false): string {
  const bounds = [
    atLeast !== undefined ? `at least ${atLeast}` : '',
    above !== undefined ? `above ${above}` : '',
    atMost !== undefined ? `at most ${atMost}` : '',
    below !== undefined ? `below ${below}` : '',
  ].filter((bound) => bound !== '');
  return [integer ? 'an integer' : 'a finite number', bounds.join(' and ')].join(' ').trim();
}

function notAllowed(owner: string, name: string, value: unknown, allowed: string): LmdError {
  const found = value === undefined ? 'is missing' : `is ${describeValue(value)}`;
  return new LmdError('INVALID_ARGUMENT', `${owner}: ${name} ${found}.`, {
    subject: name,
    value,
    remedy: `Give ${allowed}.`,
  });
}
