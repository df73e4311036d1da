import type { NumberRange } from './option.js';

/** `at least 0 and below 1`; empty where there is no bound. */
export function describeBounds({ atLeast, above, atMost, below }: NumberRange): string {
  return [
    atLeast === undefined ? '' : `at least ${atLeast}`,
    above === undefined ? '' : `above ${above}`,
    atMost === undefined ? '' : `at most ${atMost}`,
    below === undefined ? '' : `below ${below}`,
  ]
    .filter((bound) => bound !== '')
    .join(' and ');
}

/** `a finite number at least 0 and below 1`. */
export function describeRange(range: NumberRange, integer = false): string {
  return `${integer ? 'an integer' : 'a finite number'} ${describeBounds(range)}`.trim();
}
