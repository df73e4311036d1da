import { UsageError } from '../errors.js';
import { didYouMean } from '../output/suggest.js';

/** The value of an option that has a few. Throws a `UsageError` naming them. */
export function choose<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  throw new UsageError('INVALID_ARGUMENT', `${option} ${value} is not allowed.${didYouMean(value, allowed)}`, {
    subject: option,
    value,
    remedy: `Allowed: ${allowed.join(', ')}.`,
  });
}
