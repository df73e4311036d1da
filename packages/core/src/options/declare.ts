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
  /** Value used if the option is not given. */
  readonly default?: Value;
  /** Whether the option is required. Without this and without a default, it is optional. */
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

/** Declares a learning rate: a number or a schedule, whose values are checked at each step. */
export function schedule<const D extends NumberDeclaration>(declaration: D): ScheduleOption<PresenceOf<D>> {
  return { kind: 'schedule', isLearningRate: true, range: rangeOf(declaration), ...declared<number, D>(declaration) };
}

/** Declares another number that may be a schedule of its own, such as the noise; a number is constant. */
export function scheduledNumber<const D extends NumberDeclaration>(declaration: D): ScheduleOption<PresenceOf<D>> {
  return { ...schedule(declaration), isLearningRate: false };
}

export function boolean<const D extends Declaration<boolean>>(declaration: D): BooleanOption<PresenceOf<D>> {
  return { kind: 'boolean', ...declared<boolean, D>(declaration) };
}

/** Declares a choice among strings. */
export function choice<const T extends string, const D extends Declaration<NoInfer<T>>>(
  choices: readonly T[],
  declaration: D,
): ChoiceOption<T, PresenceOf<D>> {
  return { kind: 'choice', choices, ...declared<T, D>(declaration) };
}

/** Declares a non-empty string, such as a name or a path. */
export function text<const D extends Declaration<string>>(declaration: D): TextOption<PresenceOf<D>> {
  return { kind: 'text', ...declared<string, D>(declaration) };
}

/** Declares two numbers in ascending order; it has no default. */
export function interval<const D extends Declaration<never> & NumberRange>(
  declaration: D,
): IntervalOption<PresenceOf<D>> {
  return { kind: 'interval', range: rangeOf(declaration), ...declared<never, D>(declaration) };
}

interface ValueDeclaration {
  readonly describe: string;
  /** Expected value in errors, such as `a function`. */
  readonly allowed: string;
  /** Whether the value is valid. */
  readonly check: (value: unknown) => boolean;
}

/** Declares an option that a file cannot hold, such as a function: `value<() => number>({ … })`. It has no default. */
export function value<T>(declaration: ValueDeclaration & { readonly required: true }): ValueOption<T, 'required'>;
export function value<T>(declaration: ValueDeclaration): ValueOption<T, 'optional'>;
export function value({ allowed, check, ...rest }: ValueDeclaration): ValueOption {
  return { kind: 'value', allowed, check, ...declared<never, Declaration<never>>(rest) };
}

/** Declares an object, such as a model; it has no default. */
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

/** Declares a function; it has no default. */
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
