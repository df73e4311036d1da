import type { Schedule } from './schedule.js';

/** Bounds of a number. NaN and infinities are out of every range. */
export interface NumberRange {
  readonly atLeast?: number;
  readonly above?: number;
  readonly atMost?: number;
  readonly below?: number;
}

/** Whether an option is required, optional or has a default. */
export type Presence = 'required' | 'optional' | 'default';

export interface Declared<P extends Presence, Value> {
  readonly presence: P;
  /** Meaning of the option, as sentences, without bounds and default, which are added. */
  readonly describe: string;
  readonly default?: Value;
}

export interface NumberOption<P extends Presence = Presence> extends Declared<P, number> {
  readonly kind: 'number';
  readonly range: NumberRange;
}

export interface IntegerOption<P extends Presence = Presence> extends Declared<P, number> {
  readonly kind: 'integer';
  readonly range: NumberRange;
}

/** A number for every step, or a function of the step, counted from 0. */
export interface ScheduleOption<P extends Presence = Presence> extends Declared<P, number> {
  readonly kind: 'schedule';
  readonly range: NumberRange;
  /** Whether it is a learning rate, which follows the schedule of a description. */
  readonly isLearningRate: boolean;
}

export interface BooleanOption<P extends Presence = Presence> extends Declared<P, boolean> {
  readonly kind: 'boolean';
}

export interface ChoiceOption<T extends string = string, P extends Presence = Presence> extends Declared<P, T> {
  readonly kind: 'choice';
  readonly choices: readonly T[];
}

/** A non-empty string without NUL characters, such as a name or a path. */
export interface TextOption<P extends Presence = Presence> extends Declared<P, string> {
  readonly kind: 'text';
}

/** Two numbers in a range, in ascending order. */
export interface IntervalOption<P extends Presence = Presence> extends Declared<P, never> {
  readonly kind: 'interval';
  readonly range: NumberRange;
}

/**
 * An option that a file cannot hold, such as a function or a backend. The table states its type and the expected value.
 */
export interface ValueOption<T = unknown, P extends Presence = Presence> extends Declared<P, never> {
  readonly kind: 'value';
  readonly allowed: string;
  readonly check: (value: unknown) => boolean;
  /** Of the type alone; never there. */
  readonly type?: T;
}

export interface EitherOption<A extends Alternative = Alternative, P extends Presence = Presence>
  extends Declared<P, number | boolean | string> {
  readonly kind: 'either';
  readonly alternatives: readonly A[];
}

/**
 * An alternative of an option of several kinds: a number, a boolean, one of several strings, or a record of numbers by
 * name (`by` says of what).
 */
export type Alternative =
  | { readonly kind: 'number'; readonly range: NumberRange }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'record'; readonly range: NumberRange; readonly by: string };

export type Option =
  | NumberOption
  | IntegerOption
  | ScheduleOption
  | BooleanOption
  | ChoiceOption
  | TextOption
  | IntervalOption
  | ValueOption
  | EitherOption;

/** An option that a file can hold. */
export type PlainOption = Exclude<Option, ValueOption>;

/** Options by name, in the order in which documents and errors list them. */
export type OptionTable = { readonly [name: string]: Option };

/** Type of the value that a caller passes. */
export type ValueOf<O> = O extends { readonly kind: 'schedule' }
  ? number | Schedule
  : O extends { readonly kind: 'number' | 'integer' }
    ? number
    : O extends { readonly kind: 'boolean' }
      ? boolean
      : O extends { readonly kind: 'text' }
        ? string
        : O extends { readonly kind: 'interval' }
          ? readonly [number, number]
          : O extends ValueOption<infer T>
            ? T
            : O extends { readonly kind: 'choice'; readonly choices: readonly (infer T)[] }
              ? T
              : O extends { readonly kind: 'record' }
                ? { readonly [name: string]: number }
                : O extends { readonly kind: 'either'; readonly alternatives: readonly (infer A)[] }
                  ? ValueOf<A>
                  : never;

/**
 * Options as a caller passes them. An optional one without a default may be undefined, which is the same as leaving it
 * out.
 */
export type OptionsOf<T extends OptionTable> = {
  readonly [Name in keyof T as T[Name]['presence'] extends 'required' ? Name : never]: ValueOf<T[Name]>;
} & {
  readonly [Name in keyof T as T[Name]['presence'] extends 'required' ? never : Name]?:
    | ValueOf<T[Name]>
    | (T[Name]['presence'] extends 'optional' ? undefined : never);
};

/** Checked options: defaults are filled in, and learning rates are schedules. */
export type ResolvedOptions<T extends OptionTable> = {
  readonly [Name in keyof T]:
    | (T[Name] extends ScheduleOption ? Schedule : ValueOf<T[Name]>)
    | (T[Name]['presence'] extends 'optional' ? undefined : never);
};

/** The default of every option that has one. */
export type DefaultsOf<T extends OptionTable> = {
  readonly [Name in keyof T as T[Name]['presence'] extends 'default' ? Name : never]: T[Name] extends ScheduleOption
    ? number
    : ValueOf<T[Name]>;
};
