import { LmdError } from '@lmd/core';

/** Refuses an option that `caller` does not know: a misspelt one must not be a default in disguise. */
export function refuseUnknownOptions(caller: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new LmdError('UNKNOWN_OPTION', `${caller} has no option "${name}".`, {
        subject: name,
        value: (options as Record<string, unknown>)[name],
        remedy: `Its options are ${known.join(', ')}.`,
      });
    }
  }
}

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
