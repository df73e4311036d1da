/** What declares an option of a table: `option.number({ atLeast: 0, default: 0.1, describe: '…' })`. */
export * as option from './declare.js';
export { describeOption } from './describe-option.js';
export { type OptionJsonSchema, optionsJsonSchema } from './json-schema.js';
export type {
  Alternative,
  BooleanOption,
  ChoiceOption,
  DefaultsOf,
  EitherOption,
  IntegerOption,
  NumberOption,
  NumberRange,
  Option,
  OptionsOf,
  OptionTable,
  Presence,
  ResolvedOptions,
  ScheduleOption,
  ValueOf,
} from './option.js';
export { defaultsOf, resolveOption, resolveOptions } from './resolve.js';
export { refuseUnknownOptions } from './unknown-option.js';
