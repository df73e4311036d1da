import { didYouMean } from '@lmd/core';
import { UsageError } from '../errors.js';

/** Checks the value of an option with a fixed set of values. Throws a `UsageError` that lists them. */
export function choose<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  throw new UsageError('INVALID_ARGUMENT', `${option} ${value} is not allowed.${didYouMean(value, allowed)}`, {
    subject: option,
    value,
    remedy: `Allowed: ${allowed.join(', ')}.`,
  });
}
