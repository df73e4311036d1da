import { z } from 'zod';
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
      ...properties,
      backend: { ...properties.backend, anyOf: [...properties.backend!.anyOf!, specifier] },
      data: withModules(properties.data!),
      model: withModules(properties.model!),
      optimizers: withRules(properties.optimizers!),
      plugins: { ...properties.plugins, items: { anyOf: [properties.plugins!.items as JsonSchema, specifier] } },
    },
    // Defaults to the name of the file.
    required: (schema.required ?? []).filter((key) => key !== 'name'),
  };
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
