import { z } from 'zod';
import { presets } from '../presets/index.js';
import { configurationSchema } from './schema.js';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What a configuration may name in place of what the command has: it becomes a path before the schema sees it. */
const specifier: JsonSchema = {
  type: 'string',
  pattern: '[./]',
  description: 'A module of your own: a path such as ./my-module.js, or the name of an installed package.',
};

/**
 * The configuration as JSON Schema (draft 2020-12), for editors. `lmd train` checks conditions that involve several
 * keys.
 */
export function configurationJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configurationSchema, { io: 'input' });
  const properties = schema.properties as Record<string, JsonSchema>;
  return {
    title: 'A run of lmd train',
    ...schema,
    properties: {
      preset: {
        type: 'string',
        enum: Object.keys(presets),
        description:
          'A preset whose keys hold where the file has none: objects are merged, lists are replaced, and an object of ' +
          'another `kind` is replaced. In a file only; on the command line it is `--preset`.',
      },
      ...properties,
      backend: { ...properties.backend, anyOf: [...properties.backend!.anyOf!, specifier] },
      data: withPart(withModules(properties.data!)),
      model: withPart(withModules(properties.model!)),
      optimizers: withRules(properties.optimizers!),
      plugins: { ...properties.plugins, items: { anyOf: [properties.plugins!.items as JsonSchema, specifier] } },
    },
    if: { required: ['preset'] },
    else: {
      // The name defaults to that of the file.
      required: (schema.required ?? []).filter((key) => key !== 'name'),
      properties: { data: whole, model: whole },
    },
  };
}

/** What is no part of the object of a preset. */
const whole: JsonSchema = { anyOf: [{ type: 'string' }, { required: ['kind'] }, { required: ['module'] }] };

/** Some keys of an object without its `kind`, which is that of the preset. */
function withPart(schema: JsonSchema): JsonSchema {
  const members = schema.oneOf as JsonSchema[];
  const keys = new Set(members.flatMap(({ properties = {} }) => Object.keys(properties)));
  const part: JsonSchema = {
    type: 'object',
    propertyNames: { enum: [...keys].filter((key) => key !== 'kind' && key !== 'module') },
  };
  return { ...schema, oneOf: [...members, part] };
}

/** A specifier in place of the object, and an object with `module` without `kind`. */
function withModules(schema: JsonSchema): JsonSchema {
  const members = schema.oneOf as JsonSchema[];
  const { properties, required = [], ...rest } = members.at(-1)!;
  const { kind: _, ...others } = properties!;
  const short = { ...rest, properties: others, required: required.filter((key) => key !== 'kind') };
  return { ...schema, oneOf: [...members, short, specifier] };
}

/** `"rule": "./my-rule.js"` in place of `"rule": "module", "module": "./my-rule.js"`. */
function withRules(schema: JsonSchema): JsonSchema {
  const items = schema.items as JsonSchema;
  const members = items.oneOf as JsonSchema[];
  const { properties, required = [], ...rest } = members.at(-1)!;
  const { module: _, ...others } = properties!;
  const short = {
    ...rest,
    properties: { ...others, rule: specifier },
    required: required.filter((key) => key !== 'module'),
  };
  return { ...schema, items: { ...items, oneOf: [...members, short] } };
}
