import {
  booleanOption,
  choiceOption,
  intervalOption,
  notAllowed,
  numberOption,
  scheduleOption,
  textOption,
} from './checks.js';
import { describeRange } from './describe-range.js';
import type {
  Alternative,
  DefaultsOf,
  EitherOption,
  Option,
  OptionsOf,
  OptionTable,
  ResolvedOptions,
} from './option.js';
import { refuseUnknownOptions } from './unknown-option.js';

/**
 * The options of `given`, checked against their table, with defaults filled in. An option that is undefined counts as
 * not given.
 *
 * @param owner what errors call the function whose options these are.
 * @throws LmdError `UNKNOWN_OPTION`, or `INVALID_ARGUMENT` naming the option, its value and what is allowed.
 */
export function resolveOptions<T extends OptionTable>(
  owner: string,
  table: T,
  given: OptionsOf<T>,
): ResolvedOptions<T> {
  refuseUnknownOptions(owner, given, Object.keys(table));
  const values = given as { readonly [name: string]: unknown };
  const entries = Object.entries(table).map(([name, option]) => [
    name,
    resolveOption(owner, name, option, Object.hasOwn(values, name) ? values[name] : undefined),
  ]);
  return Object.fromEntries(entries) as ResolvedOptions<T>;
}

/** The default of each option that has one. */
export function defaultsOf<T extends OptionTable>(table: T): DefaultsOf<T> {
  const entries = Object.entries(table).filter(([, { presence }]) => presence === 'default');
  return Object.fromEntries(entries.map(([name, option]) => [name, option.default])) as DefaultsOf<T>;
}

/** One option of a table, checked. A missing one is its default, or undefined where it may be left out. */
export function resolveOption(owner: string, name: string, option: Option, given: unknown): unknown {
  const value = given === undefined ? option.default : given;
  if (value === undefined && option.presence === 'optional') return undefined;
  switch (option.kind) {
    case 'number':
    case 'integer':
      return numberOption(owner, name, value, { ...option.range, integer: option.kind === 'integer' });
    case 'schedule':
      return scheduleOption(owner, name, value, option.range);
    case 'boolean':
      return booleanOption(owner, name, value);
    case 'choice':
      return choiceOption(owner, name, value, option.choices);
    case 'text':
      return textOption(owner, name, value);
    case 'interval':
      return intervalOption(owner, name, value, option.range);
    case 'value':
      if (option.check(value)) return value;
      throw notAllowed(owner, name, value, option.allowed);
    case 'either':
      return resolveEither(owner, name, option, value);
  }
}

/** The alternative of the value's type decides, so that a number out of range is told its bounds. */
function resolveEither(owner: string, name: string, { alternatives }: EitherOption, value: unknown): unknown {
  for (const alternative of alternatives) {
    switch (alternative.kind) {
      case 'number':
        if (typeof value === 'number') return numberOption(owner, name, value, alternative.range);
        break;
      case 'boolean':
        if (typeof value === 'boolean') return value;
        break;
      case 'choice':
        if (alternative.choices.includes(value as string)) return value;
        break;
      case 'record':
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          return Object.fromEntries(
            Object.entries(value).map(([key, number]) => [
              key,
              numberOption(owner, `${name}["${key}"]`, number, alternative.range),
            ]),
          );
        }
    }
  }
  throw notAllowed(owner, name, value, alternatives.map(describeAlternative).join(', or '));
}

function describeAlternative(alternative: Alternative): string {
  switch (alternative.kind) {
    case 'number':
      return describeRange(alternative.range);
    case 'boolean':
      return 'true or false';
    case 'choice':
      return alternative.choices.map((choice) => JSON.stringify(choice)).join(' or ');
    case 'record':
      return `a record of such numbers by the name of the ${alternative.by}`;
  }
}
