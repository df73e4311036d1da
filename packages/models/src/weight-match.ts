import { option, type WeightPredicate } from '@lmd/core';

/** A weight's name, a regular expression that matches any part of it, or a predicate of name and shape. */
export type WeightMatch = string | RegExp | WeightPredicate;

export function matchesWeight(match: WeightMatch, name: string, shape: readonly number[]): boolean {
  if (typeof match === 'function') return match(name, shape);
  if (typeof match === 'string') return match === name;
  // A global or sticky pattern is stateful, so its position is reset.
  match.lastIndex = 0;
  return match.test(name);
}

/** Declares an option that chooses weights. */
export function weightMatchOption(describe: string) {
  return option.value<WeightMatch>({
    describe,
    allowed: 'a name, a pattern or a function of name and shape',
    check: (match) => typeof match === 'string' || typeof match === 'function' || match instanceof RegExp,
  });
}
