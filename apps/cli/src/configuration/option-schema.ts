import {
  type Alternative,
  describeBounds,
  type EitherOption,
  type NumberRange,
  type OptionTable,
  type PlainOption,
  type ScheduleOption,
  type ValueOf,
} from '@lmd/core';
import { z } from 'zod';
import { pathSchema } from './path-schema.js';

/** A table whose options a file can hold. */
export type PlainTable = { readonly [name: string]: PlainOption };

/** The value of an option in a file. A step size is a number, to which the run's schedule is applied. */
type FileValue<O> = O extends ScheduleOption ? number : ValueOf<O>;

type OptionSchema<O extends PlainOption> = O['presence'] extends 'default'
  ? z.ZodDefault<z.ZodType<FileValue<O>, FileValue<O>>>
  : O['presence'] extends 'optional'
    ? z.ZodOptional<z.ZodType<FileValue<O>, FileValue<O>>>
    : z.ZodType<FileValue<O>, FileValue<O>>;

/** The keys of a configuration that a table of options declares. */
export type OptionShape<T extends PlainTable> = { [Name in keyof T]: OptionSchema<T[Name]> };

/**
 * The keys of a configuration for the options of a table, with its bounds, defaults and descriptions.
 */
export function optionShape<T extends PlainTable>(table: T): OptionShape<T> {
  const entries = Object.entries(table).map(([name, option]) => [name, optionSchema(option)]);
  return Object.fromEntries(entries) as OptionShape<T>;
}

/** The same keys without defaults in the file, because the model, its weights or another key determines them. */
export function optionalShape<T extends PlainTable>(
  table: T,
): { [Name in keyof T]: z.ZodOptional<z.ZodType<FileValue<T[Name]>, FileValue<T[Name]>>> } {
  const entries = Object.entries(table).map(([name, option]) => {
    const standIn = option.default === undefined ? '' : ` Default: ${option.default}.`;
    return [name, valueSchema(option).optional().describe(`${option.describe}${standIn}`)];
  });
  return Object.fromEntries(entries);
}

/** The option with a largest number of the command's own, beyond which a value is a slip; the library takes any. */
export function limited<O extends Extract<PlainOption, { readonly range: NumberRange }>>(option: O, atMost: number): O {
  return { ...option, range: { ...option.range, atMost } };
}

type WithDefault<O extends PlainOption> = Omit<O, 'presence' | 'default'> & {
  readonly presence: 'default';
  readonly default: NonNullable<O['default']>;
};

/** The option with a default of the command's own, where a caller of the library must say. */
export function withDefault<O extends PlainOption>(option: O, value: NonNullable<O['default']>): WithDefault<O> {
  return { ...option, presence: 'default', default: value };
}

/** The option in the words of a configuration. */
export function described<O extends PlainOption>(option: O, describe: string): O {
  return { ...option, describe };
}

/** The options of a table by name. */
export function picked<T extends OptionTable, Name extends keyof T>(table: T, names: readonly Name[]): Pick<T, Name> {
  return Object.fromEntries(names.map((name) => [name, table[name]])) as Pick<T, Name>;
}

function optionSchema(option: PlainOption): z.ZodType {
  const value = valueSchema(option);
  const whole =
    option.presence === 'required'
      ? value
      : option.default === undefined
        ? value.optional()
        : value.default(option.default);
  return whole.describe(option.describe);
}

function valueSchema(option: PlainOption): z.ZodType {
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
    case 'text':
      return pathSchema;
    case 'interval': {
      const bound = within(z.number(), option.range);
      return z
        .tuple([bound, bound])
        .refine(([low, high]) => low <= high, 'is not allowed. Allowed: the smaller number first.');
    }
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
      return `a number ${describeBounds(alternative.range)}`.trim();
    case 'boolean':
      return 'true or false';
    case 'choice':
      return alternative.choices.join(', ');
    case 'record':
      return `an object of numbers ${describeBounds(alternative.range)} by the name of the ${alternative.by}`;
  }
}
