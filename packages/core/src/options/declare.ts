import type {
  Alternative,
  BooleanOption,
  ChoiceOption,
  Declared,
  EitherOption,
  IntegerOption,
  NumberOption,
  NumberRange,
  ScheduleOption,
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

/** Declares a value of one of several kinds; it has no default of its own. */
export function either<const A extends Alternative>(
  alternatives: readonly A[],
  declaration: { readonly describe: string },
): EitherOption<A, 'optional'> {
  return { kind: 'either', alternatives, presence: 'optional', describe: declaration.describe };
}
