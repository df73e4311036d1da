import { describeValue, LmdError } from '../errors.js';
import { describeBounds, describeRange } from './describe-range.js';
import type { NumberRange } from './option.js';
import type { Schedule } from './schedule.js';

/** The number, if it is in the range; otherwise throws. NaN and infinities are always out of range. */
export function numberOption(
  owner: string,
  name: string,
  value: unknown,
  range: NumberRange & { readonly integer?: boolean },
): number {
  const { integer = false } = range;
  if (isWithin(value, range) && (!integer || Number.isSafeInteger(value))) return value;
  throw notAllowed(owner, name, value, describeRange(range, integer));
}

function isWithin(value: unknown, range: NumberRange): value is number {
  const { atLeast = -Infinity, above = -Infinity, atMost = Infinity, below = Infinity } = range;
  return (
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= atLeast &&
    value > above &&
    value <= atMost &&
    value < below
  );
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
 * A learning rate as a checked schedule: a number applies to every step. Values of a schedule are checked at each step,
 * since a NaN would silently invalidate the run.
 */
export function scheduleOption(owner: string, name: string, value: unknown, range: NumberRange): Schedule {
  if (typeof value !== 'function') {
    const checked = numberOption(owner, name, value, range);
    return () => checked;
  }
  const schedule = value as Schedule;
  return (step) => numberOption(owner, `${name}(${step})`, schedule(step) ?? Number.NaN, range);
}

export function textOption(owner: string, name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  throw notAllowed(owner, name, value, 'a non-empty string without NUL characters');
}

/** The two numbers, if they are in the range and in ascending order; otherwise throws. */
export function intervalOption(
  owner: string,
  name: string,
  value: unknown,
  range: NumberRange,
): readonly [number, number] {
  const [low, high] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
  if (isWithin(low, range) && isWithin(high, range) && low <= high) return [low, high];
  throw notAllowed(owner, name, value, `two numbers ${describeBounds(range)}, the smaller one first`);
}

export function notAllowed(owner: string, name: string, value: unknown, allowed: string): LmdError {
  const found = value === undefined ? 'is missing' : `is ${describeValue(value)}`;
  return new LmdError('INVALID_ARGUMENT', `${owner}: ${name} ${found}.`, {
    subject: name,
    value,
    remedy: `Use ${allowed}.`,
  });
}
