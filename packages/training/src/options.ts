import { LmdError } from '@lmd/core';

export { refuseUnknownOptions } from '@lmd/core';

/** Returns `value`, an integer of at least `minimum`, or throws `INVALID_ARGUMENT`. */
export function checkedCount(caller: string, subject: string, value: number, minimum: number): number {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new LmdError('INVALID_ARGUMENT', `${caller}: ${subject} is ${String(value)}.`, {
      subject,
      value,
      remedy: `Use an integer of at least ${minimum}.`,
    });
  }
  return value;
}

/** Returns `value`, a boolean, or throws `INVALID_ARGUMENT`. */
export function checkedFlag(caller: string, subject: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new LmdError('INVALID_ARGUMENT', `${caller}: ${subject} is ${String(value)}.`, {
    subject,
    value,
    remedy: 'Use true or false.',
  });
}
