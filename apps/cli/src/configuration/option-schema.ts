import type { Alternative, EitherOption, NumberRange, Option, OptionTable, ScheduleOption, ValueOf } from '@lmd/core';
import { z } from 'zod';

/** The value of an option in a file. A step size is a number, to which the run's schedule is applied. */
type FileValue<O> = O extends ScheduleOption ? number : ValueOf<O>;

type OptionSchema<O extends Option> = O['presence'] extends 'default'
  ? z.ZodDefault<z.ZodType<FileValue<O>, FileValue<O>>>
  : O['presence'] extends 'optional'
    ? z.ZodOptional<z.ZodType<FileValue<O>, FileValue<O>>>
    : z.ZodType<FileValue<O>, FileValue<O>>;

/** The keys of a configuration that a table of options declares. */
export type OptionShape<T extends OptionTable> = { [Name in keyof T]: OptionSchema<T[Name]> };

/**
 * The keys of a configuration for the options of a table, with its bounds, defaults and descriptions.
 */
export function optionShape<T extends OptionTable>(table: T): OptionShape<T> {
  const entries = Object.entries(table).map(([name, option]) => [name, optionSchema(option)]);
  return Object.fromEntries(entries) as OptionShape<T>;
}

/** The same keys without defaults in the file, because the model, its weights or another key determines them. */
export function optionalShape<T extends OptionTable>(
  table: T,
): { [Name in keyof T]: z.ZodOptional<z.ZodType<FileValue<T[Name]>, FileValue<T[Name]>>> } {
  const entries = Object.entries(table).map(([name, option]) => {
    const standIn = option.default === undefined ? '' : ` Default: ${option.default}.`;
    return [name, valueSchema(option).optional().describe(`${option.describe}${standIn}`)];
  });
  return Object.fromEntries(entries);
}

function optionSchema(option: Option): z.ZodType {
  const value = valueSchema(option);
  const whole =
    option.presence === 'required'
      ? value
      : option.default === undefined
        ? value.optional()
        : value.default(option.default);
  return whole.describe(option.describe);
}

function valueSchema(option: Option): z.ZodType {
  switch (option.kind) {
    case 'number':
    case 'schedule':
      return within(z.number(), option.range);
    case 'integer':
      return within(z.int(), option.range);
    case 'boolean':
      return z.boolean();
    case 'choice':
      return z.enum(option.choices as [string, ...string[]]);
    case 'either':
      return eitherSchema(option);
  }
}

function within(schema: z.ZodNumber, { atLeast, above, atMost, below }: NumberRange): z.ZodNumber {
  let bounded = schema;
  if (atLeast !== undefined) bounded = bounded.min(atLeast);
  if (above !== undefined) bounded = bounded.gt(above);
  if (atMost !== undefined) bounded = bounded.max(atMost);
  if (below !== undefined) bounded = bounded.lt(below);
  return bounded;
}

function eitherSchema({ alternatives }: EitherOption): z.ZodType {
  const allowed = alternatives.map(alternativeName).join(', or ');
  return z.union(alternatives.map(alternativeSchema), `is not allowed. Allowed: ${allowed}.`);
}

function alternativeSchema(alternative: Alternative): z.ZodType {
  switch (alternative.kind) {
    case 'number':
      return within(z.number(), alternative.range);
    case 'boolean':
      return z.boolean();
    case 'choice': {
      const [only, ...others] = alternative.choices as [string, ...string[]];
      return others.length === 0 ? z.literal(only) : z.enum([only, ...others]);
    }
    case 'record':
      return z.record(z.string(), within(z.number(), alternative.range));
  }
}

function alternativeName(alternative: Alternative): string {
  switch (alternative.kind) {
    case 'number':
      return `a number ${boundsOf(alternative.range)}`.trim();
    case 'boolean':
      return 'true or false';
    case 'choice':
      return alternative.choices.join(', ');
    case 'record':
      return `an object of numbers ${boundsOf(alternative.range)} by the name of the ${alternative.by}`;
  }
}

function boundsOf({ atLeast, above, atMost, below }: NumberRange): string {
  return [
    atLeast === undefined ? '' : `at least ${atLeast}`,
    above === undefined ? '' : `above ${above}`,
    atMost === undefined ? '' : `at most ${atMost}`,
    below === undefined ? '' : `below ${below}`,
  ]
    .filter((bound) => bound !== '')
    .join(' and ');
}
