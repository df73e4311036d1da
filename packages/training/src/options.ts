import { LmdError } from '@lmd/core';

export { refuseUnknownOptions } from '@lmd/core';

/** `value`, an integer of at least `minimum`, or throws `INVALID_ARGUMENT`. */
export function checkedCount(caller: string, subject: string, value: number, minimum: number): number {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new LmdError('INVALID_ARGUMENT', `${caller}: ${subject} is ${String(value)}.`, {
      subject,
      value,
      remedy: `Give an integer of at least ${minimum}.`,
    });
  }
  return value;
}

/** `value`, a boolean, or throws `INVALID_ARGUMENT`. */
export function checkedFlag(caller: string, subject: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new LmdError('INVALID_ARGUMENT', `${caller}: ${subject} is ${String(value)}.`, {
    subject,
    value,
    remedy: 'Give true or false.',
  });
}
