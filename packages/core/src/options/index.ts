export { numberOption, textOption } from './checks.js';
/** What declares an option of a table: `option.number({ atLeast: 0, default: 0.1, describe: '…' })`. */
export * as option from './declare.js';
export { describeOption } from './describe-option.js';
export { describeBounds, describeRange } from './describe-range.js';
export { type OptionJsonSchema, optionsJsonSchema } from './json-schema.js';
export type {
  Alternative,
  BooleanOption,
  ChoiceOption,
  DefaultsOf,
  EitherOption,
  IntegerOption,
  IntervalOption,
  NumberOption,
  NumberRange,
  Option,
  OptionsOf,
  OptionTable,
  PlainOption,
  Presence,
  ResolvedOptions,
  ScheduleOption,
  TextOption,
  ValueOf,
  ValueOption,
} from './option.js';
export { defaultsOf, resolveOption, resolveOptions } from './resolve.js';
export { didYouMean, refuseUnknownOptions, unknownOption } from './unknown-option.js';
