import type { z } from 'zod';
import { configurationJsonSchema } from '../src/configuration/json-schema.js';

type JsonSchema = z.core.JSONSchema.BaseSchema;

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.type === 'array') return 'list';
  if (schema.anyOf !== undefined) return schema.anyOf.map((option) => typeOf(option as JsonSchema)).join(' or ');
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const bounds = [
    minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER ? `≥ ${minimum}` : undefined,
    exclusiveMinimum !== undefined ? `> ${exclusiveMinimum}` : undefined,
    maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER ? `≤ ${maximum}` : undefined,
    exclusiveMaximum !== undefined ? `< ${exclusiveMaximum}` : undefined,
  ].filter((bound) => bound !== undefined);
  return [schema.type === 'integer' ? 'whole number' : String(schema.type), bounds.join(', ')].join(' ').trim();
}

function defaultOf(schema: JsonSchema, isRequired: boolean): string {
  if (schema.default !== undefined && typeof schema.default !== 'object') return `\`${schema.default}\``;
  return isRequired ? 'required' : '';
}

function rows(schema: JsonSchema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const value = property as JsonSchema;
    const path = `${prefix}${key}`;
    const members = (value.oneOf ?? (value.items as JsonSchema | undefined)?.oneOf) as JsonSchema[] | undefined;
    const row = `| \`${path}\` | ${members ? (value.type === 'array' ? 'list' : 'object') : typeOf(value)} | ${defaultOf(value, schema.required?.includes(key) ?? false)} | ${value.description} |`;
    if (members === undefined) return [row, ...rows(value, `${path}.`)];
    return [
      row,
      ...members.flatMap((member) => {
        const tag = Object.entries(member.properties ?? {}).find(
          ([, field]) => (field as JsonSchema).const !== undefined,
        )!;
        const name = (tag[1] as JsonSchema).const;
        const place = value.type === 'array' ? `${path}[]` : path;
        return rows(member, `${place} (${name}).`);
      }),
    ];
  });
}

/** Every key of a configuration as a Markdown table, read from the schema. */
export function configurationReference(): string {
  return [
    '# The configuration of a run',
    '',
    'Written from the schema by the tests (`vitest run -u` in `apps/cli`). In `data`, `model` and `optimizers[]` the keys depend on the kind',
    'or rule in parentheses.',
    '',
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...rows(configurationJsonSchema(), ''),
    '',
  ].join('\n');
}
