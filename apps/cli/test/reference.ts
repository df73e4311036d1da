import { markdownTable } from 'markdown-table';
import type { z } from 'zod';
import { configurationJsonSchema } from '../src/configuration/json-schema.js';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A key of a configuration: what stands in its row of a table. */
interface Row {
  readonly key: string;
  readonly value: string;
  readonly default: string;
  readonly meaning: string;
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.type === 'array') return 'list';
  if (schema.oneOf !== undefined) return 'object';
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

function defaultOf(schema: JsonSchema, required: boolean): string {
  if (schema.default !== undefined && typeof schema.default !== 'object') return `\`${schema.default}\``;
  return required ? 'required' : '';
}

/** Whether an object without `preset` must have a key. */
function isRequired(schema: JsonSchema, key: string): boolean {
  const required = schema.required ?? (schema.else as JsonSchema | undefined)?.required;
  return required?.includes(key) === true;
}

/** The members of a key that is one of several kinds, or a list of such. */
function membersOf(schema: JsonSchema): readonly JsonSchema[] | undefined {
  const members = (schema.oneOf ?? (schema.items as JsonSchema | undefined)?.oneOf) as JsonSchema[] | undefined;
  // Shorter ways of writing a module are no kinds.
  return members?.filter(({ properties = {} }) =>
    Object.values(properties).some((field) => (field as JsonSchema).const !== undefined),
  );
}

function rows(schema: JsonSchema, prefix = ''): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const value = property as JsonSchema;
    const row = {
      key: `${prefix}${key}`,
      value: typeOf(value),
      default: defaultOf(value, isRequired(schema, key)),
      meaning: value.description ?? '',
    };
    return membersOf(value) === undefined ? [row, ...rows(value, `${prefix}${key}.`)] : [row];
  });
}

function table(list: readonly Row[], of?: (row: Row) => string): string {
  const head = ['key', 'value', 'default', ...(of === undefined ? [] : ['of']), 'meaning'];
  return markdownTable(
    [
      head,
      ...list.map((row) => [
        `\`${row.key}\``,
        row.value,
        row.default,
        ...(of === undefined ? [] : [of(row)]),
        row.meaning.replaceAll('|', '\\|'),
      ]),
    ],
    { alignDelimiters: false },
  );
}

/** The keys of each kind of `path`; keys that are equal in several kinds are listed once. */
function unionSection(path: string, schema: JsonSchema): string[] {
  const kinds = membersOf(schema)!.map((member) => {
    const [tag, constant] = Object.entries(member.properties ?? {}).find(
      ([, field]) => (field as JsonSchema).const !== undefined,
    )!;
    const { const: name, description } = constant as JsonSchema;
    return { tag, name: String(name), meaning: description ?? '', own: rows(member).filter(({ key }) => key !== tag) };
  });
  const holders = new Map<string, string[]>();
  const rowOf = new Map<string, Row>();
  for (const { name, own } of kinds) {
    for (const row of own) {
      const text = JSON.stringify(row);
      holders.set(text, [...(holders.get(text) ?? []), name]);
      rowOf.set(text, row);
    }
  }
  const shared = [...rowOf].filter(([text]) => holders.get(text)!.length > 1).map(([, row]) => row);
  const isShared = (row: Row) => holders.get(JSON.stringify(row))!.length > 1;
  const namesOf = (row: Row) => {
    const names = holders.get(JSON.stringify(row))!;
    return names.length === kinds.length ? 'all' : names.map((name) => `\`${name}\``).join(', ');
  };
  const { tag } = kinds[0]!;
  return [
    `## \`${path}\``,
    '',
    `${schema.description} \`${tag}\` selects the kind:`,
    '',
    ...kinds.map(({ name, meaning }) => `- \`${name}\`: ${meaning}`),
    '',
    ...(shared.length === 0 ? [] : [`### Shared keys`, '', table(shared, namesOf), '']),
    ...kinds.flatMap(({ name, own }) => {
      const alone = own.filter((row) => !isShared(row));
      return alone.length === 0 ? [] : [`### \`${name}\``, '', table(alone), ''];
    }),
  ];
}

/**
 * Every key of a configuration, from the schema: those of the run, then those that depend on a kind or an optimizer.
 */
export function configurationReference(): string {
  const schema = configurationJsonSchema();
  const unions = Object.entries(schema.properties ?? {}).filter(
    ([, value]) => membersOf(value as JsonSchema) !== undefined,
  );
  return [
    '# Configuration',
    '',
    'All keys of a configuration of `lmd train`. Keys are written as in `--set`: `model.width`. This page is generated',
    'from the schema (`vitest run -u` in `apps/cli`), which takes options with their bounds, defaults and ' +
      'descriptions from',
    'the tables of the packages (`…OptionTable`).',
    '',
    '## Run',
    '',
    table(rows(schema)),
    '',
    ...unions.flatMap(([key, value]) =>
      unionSection((value as JsonSchema).type === 'array' ? `${key}[]` : key, value as JsonSchema),
    ),
  ].join('\n');
}
