import type {
  Alternative,
  BooleanOption,
  ChoiceOption,
  Declared,
  EitherOption,
  IntegerOption,
  IntervalOption,
  NumberOption,
  NumberRange,
  ScheduleOption,
  TextOption,
  ValueOption,
} from './option.js';

interface Declaration<Value> {
  readonly describe: string;
  /** What stands in for the option where it is not given. */
  readonly default?: Value;
  /** Whether it must be given. Without this and without a default it may be left out. */
  readonly required?: true;
}

type PresenceOf<D> = D extends { readonly required: true }
  ? 'required'
  : D extends { readonly default: string | number | boolean }
    ? 'default'
    : 'optional';

function declared<Value, D extends Declaration<Value>>(declaration: D): Declared<PresenceOf<D>, Value> {
  const { describe, required } = declaration;
  const presence = required ? 'required' : declaration.default === undefined ? 'optional' : 'default';
  return {
    presence: presence as PresenceOf<D>,
    describe,
    ...(declaration.default === undefined ? {} : { default: declaration.default }),
  };
}

function rangeOf({ atLeast, above, atMost, below }: NumberRange): NumberRange {
  return {
    ...(atLeast === undefined ? {} : { atLeast }),
    ...(above === undefined ? {} : { above }),
    ...(atMost === undefined ? {} : { atMost }),
    ...(below === undefined ? {} : { below }),
  };
}

type NumberDeclaration = Declaration<number> & NumberRange;

/** Declares a finite number. */
export function number<const D extends NumberDeclaration>(declaration: D): NumberOption<PresenceOf<D>> {
  return { kind: 'number', range: rangeOf(declaration), ...declared<number, D>(declaration) };
}

/** Declares a whole number below 2⁵³. */
export function integer<const D extends NumberDeclaration>(declaration: D): IntegerOption<PresenceOf<D>> {
  return { kind: 'integer', range: rangeOf(declaration), ...declared<number, D>(declaration) };
}

/** Declares a step size: a number or a schedule of it, each of whose values is checked at its step. */
export function schedule<const D extends NumberDeclaration>(declaration: D): ScheduleOption<PresenceOf<D>> {
  return { kind: 'schedule', range: rangeOf(declaration), ...declared<number, D>(declaration) };
}

export function boolean<const D extends Declaration<boolean>>(declaration: D): BooleanOption<PresenceOf<D>> {
  return { kind: 'boolean', ...declared<boolean, D>(declaration) };
}

/** Declares one of a few words. */
export function choice<const T extends string, const D extends Declaration<NoInfer<T>>>(
  choices: readonly T[],
  declaration: D,
): ChoiceOption<T, PresenceOf<D>> {
  return { kind: 'choice', choices, ...declared<T, D>(declaration) };
}

/** Declares a text that is not empty, such as a name or a path. */
export function text<const D extends Declaration<string>>(declaration: D): TextOption<PresenceOf<D>> {
  return { kind: 'text', ...declared<string, D>(declaration) };
}

/** Declares two numbers, the smaller one first; it has no default. */
export function interval<const D extends Declaration<never> & NumberRange>(
  declaration: D,
): IntervalOption<PresenceOf<D>> {
  return { kind: 'interval', range: rangeOf(declaration), ...declared<never, D>(declaration) };
}

interface ValueDeclaration {
  readonly describe: string;
  /** What an error asks for, such as `a function`. */
  readonly allowed: string;
  /** Whether the value is one of those. */
  readonly check: (value: unknown) => boolean;
}

/** Declares what no file holds, such as a function: `value<() => number>({ … })`. It has no default of its own. */
export function value<T>(declaration: ValueDeclaration & { readonly required: true }): ValueOption<T, 'required'>;
export function value<T>(declaration: ValueDeclaration): ValueOption<T, 'optional'>;
export function value({ allowed, check, ...rest }: ValueDeclaration): ValueOption {
  return { kind: 'value', allowed, check, ...declared<never, Declaration<never>>(rest) };
}

/** Declares a record, such as a model; it has no default of its own. */
export function object<T extends object>(declaration: {
  readonly describe: string;
  readonly required: true;
}): ValueOption<T, 'required'>;
export function object<T extends object>(declaration: { readonly describe: string }): ValueOption<T, 'optional'>;
export function object(declaration: { readonly describe: string }): ValueOption {
  return value({
    ...declaration,
    allowed: 'an object',
    check: (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
  });
}

/** Declares a function that a caller gives; it has no default of its own. */
// biome-ignore lint/suspicious/noExplicitAny: any function's type extends this one.
export function callback<T extends (...args: any[]) => unknown>(declaration: {
  readonly describe: string;
}): ValueOption<T, 'optional'> {
  return value<T>({ ...declaration, allowed: 'a function', check: (given) => typeof given === 'function' });
}

/** Declares a value of one of several kinds. */
export function either<const A extends Alternative, const D extends Declaration<number | boolean | string>>(
  alternatives: readonly A[],
  declaration: D,
): EitherOption<A, PresenceOf<D>> {
  return { kind: 'either', alternatives, ...declared<number | boolean | string, D>(declaration) };
}
