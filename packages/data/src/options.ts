import { LmdError } from '@lmd/core';

export { refuseUnknownOptions } from '@lmd/core';

/** Returns `value`, an integer of at least `minimum`, or throws `INVALID_ARGUMENT`. */
export function checkedCount(caller: string, subject: string, value: number, minimum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum) return value;
  throw argumentError(caller, subject, value, `Use an integer of at least ${minimum}.`);
}

/** Returns `value`, a number in [minimum, maximum], or throws `INVALID_ARGUMENT`. */
export function checkedNumber(
  caller: string,
  subject: string,
  value: number,
  minimum: number,
  maximum = Number.MAX_VALUE,
): number {
  if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
  const range = maximum === Number.MAX_VALUE ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw argumentError(caller, subject, value, `Use a number ${range}.`);
}

/** Returns `value`, a non-empty string without NUL such as a path, or throws `INVALID_ARGUMENT`. */
export function checkedPath(caller: string, subject: string, value: string): string {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  throw argumentError(caller, subject, value, 'Use a path.');
}

export function argumentError(caller: string, subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${caller}: ${subject} is ${describe(value)}.`, { subject, value, remedy });
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? `[${value.join(', ')}]` : 'an object';
  return String(value);
}
