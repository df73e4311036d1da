import type { Alternative, NumberRange, OptionTable, PlainOption } from './option.js';

/** The part of JSON Schema (draft 2020-12) that describes options. */
export interface OptionJsonSchema {
  readonly description?: string;
  readonly type?: 'number' | 'integer' | 'boolean' | 'string' | 'array' | 'object';
  readonly minLength?: number;
  readonly items?: OptionJsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly OptionJsonSchema[];
  readonly default?: number | boolean | string;
  readonly properties?: { readonly [name: string]: OptionJsonSchema };
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | OptionJsonSchema;
}

/**
 * JSON Schema of the options that a file can hold: a schedule becomes the number of its peak, and functions and objects
 * are left out.
 */
export function optionsJsonSchema(table: OptionTable): OptionJsonSchema {
  const entries = Object.entries(table).filter((entry): entry is [string, PlainOption] => entry[1].kind !== 'value');
  const required = entries.filter(([, { presence }]) => presence === 'required').map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, option]) => [name, optionJsonSchema(option)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function optionJsonSchema(option: PlainOption): OptionJsonSchema {
  return {
    description: option.describe,
    ...valueSchema(option),
    ...(option.default === undefined ? {} : { default: option.default }),
  };
}

function valueSchema(option: PlainOption | Alternative): OptionJsonSchema {
  switch (option.kind) {
    case 'number':
    case 'schedule':
      return { type: 'number', ...boundsOf(option.range) };
    case 'integer': {
      // Beyond these a number is no longer exact, and no option takes it.
      const { MIN_SAFE_INTEGER: minimum, MAX_SAFE_INTEGER: maximum } = Number;
      return { type: 'integer', minimum, maximum, ...boundsOf(option.range) };
    }
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { type: 'string', enum: option.choices };
    case 'text':
      return { type: 'string', minLength: 1 };
    case 'interval':
      return { type: 'array', items: { type: 'number', ...boundsOf(option.range) }, minItems: 2, maxItems: 2 };
    case 'record':
      return { type: 'object', additionalProperties: { type: 'number', ...boundsOf(option.range) } };
    case 'either':
      return { anyOf: option.alternatives.map(valueSchema) };
  }
}

function boundsOf({ atLeast, above, atMost, below }: NumberRange): OptionJsonSchema {
  return {
    ...(atLeast === undefined ? {} : { minimum: atLeast }),
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
    ...(atMost === undefined ? {} : { maximum: atMost }),
    ...(below === undefined ? {} : { exclusiveMaximum: below }),
  };
}
