import { optimizerFromDescription, optimizerRules, optionsJsonSchema, type PlainOption } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ConfigurableRule, optimizerTables } from './optimizer-tables.js';
import { optionShape, type PlainTable } from './option-schema.js';

// A rule's table, the rule itself, its JSON Schema and the command's keys must accept and refuse the same values.

const rules = Object.keys(optimizerRules) as (keyof typeof optimizerRules)[];

/** The neighbours of a float64, and the number itself. */
function around(bound: number): number[] {
  const step = bound === 0 ? Number.MIN_VALUE : Math.abs(bound) * 2 ** -52;
  return [bound - step, bound, bound + step];
}

/** Values at, just below and just above each bound of an option, and values of other types. */
function trialValues(option: PlainOption): unknown[] {
  const strange = [Number.NaN, Infinity, -Infinity, null, 'x', '1', true, false, [], {}];
  const ranges =
    option.kind === 'either'
      ? option.alternatives.flatMap((one) => ('range' in one ? [one.range] : []))
      : 'range' in option
        ? [option.range]
        : [];
  const bounds = ranges.flatMap((range) => Object.values(range as Record<string, number>));
  const numbers = bounds.flatMap((bound) => [...around(bound), bound - 1, bound + 1, bound + 0.5]);
  const words =
    option.kind === 'choice'
      ? option.choices
      : option.kind === 'either'
        ? option.alternatives.flatMap((one) => (one.kind === 'choice' ? one.choices : []))
        : [];
  const records = option.kind === 'either' ? numbers.map((number) => ({ weight: number })) : [];
  return [
    ...numbers,
    0,
    1,
    -1,
    0.5,
    2 ** 53 - 1,
    2 ** 53,
    ...words,
    ...words.map((word) => `${word}x`),
    ...records,
    ...strange,
  ];
}

/** What an option's declaration says of a value, read from its bounds alone. */
function isAllowed(option: PlainOption, value: unknown): boolean {
  const within = (range: NonNullable<Extract<PlainOption, { kind: 'number' }>['range']>, number: unknown): boolean =>
    typeof number === 'number' &&
    Number.isFinite(number) &&
    !(number < (range.atLeast ?? -Infinity)) &&
    !(number > (range.atMost ?? Infinity)) &&
    (range.above === undefined || number > range.above) &&
    (range.below === undefined || number < range.below);
  switch (option.kind) {
    case 'number':
    case 'schedule':
      return within(option.range, value);
    case 'integer':
      return Number.isSafeInteger(value) && within(option.range, value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'choice':
      return option.choices.includes(value as string);
    case 'text':
      return typeof value === 'string' && value !== '';
    case 'interval':
      return Array.isArray(value) && value.length === 2 && value.every((number) => within(option.range, number));
    case 'either':
      return option.alternatives.some((one) => {
        if (one.kind === 'number') return within(one.range, value);
        if (one.kind === 'boolean') return typeof value === 'boolean';
        if (one.kind === 'choice') return one.choices.includes(value as string);
        const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
        return isRecord && Object.values(value).every((number) => within(one.range, number));
      });
  }
}

function isAccepted(body: () => unknown): boolean {
  try {
    body();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    return false;
  }
}

/** What else must be given for an option to be judged by itself: what is required, and what other options ask for. */
function beside(table: PlainTable, name: string, value: unknown): Record<string, unknown> {
  const required = Object.entries(table).filter(([, { presence }]) => presence === 'required');
  return {
    ...Object.fromEntries(required.map(([other]) => [other, 1000])),
    ...(value === 'block8' ? { gradientScaling: 'none' } : {}),
    ...(name === 'errorFeedback' ? { weightFormat: 'bf16' } : {}),
    [name]: value,
  };
}

describe.each(rules)('the options of %s', (rule) => {
  const { create, options: table }: { create: unknown; options: PlainTable } = optimizerRules[rule];
  const make = create as (options: object) => unknown;
  const isJson = z.fromJSONSchema(optionsJsonSchema(table) as Parameters<typeof z.fromJSONSchema>[0]);
  const options = Object.entries(table);

  it('are accepted and refused alike by table, rule, description, JSON Schema and configuration, at every bound', () => {
    const keys = z.strictObject(optionShape(table));
    for (const [name, option] of options) {
      const counts = { allowed: 0, refused: 0 };
      for (const value of trialValues(option)) {
        const given = beside(table, name, value);
        const allowed = isAllowed(option, value);
        counts[allowed ? 'allowed' : 'refused']++;
        const what = `${rule}.${name} = ${String(value)}`;
        expect(
          isAccepted(() => make(given)),
          `${what}, by the rule`,
        ).toBe(allowed);
        expect(
          isAccepted(() => optimizerFromDescription({ groups: [{ match: '*', rule, options: given }] })),
          `${what}, in a description`,
        ).toBe(allowed);
        expect(isJson.safeParse(given).success, `${what}, by the JSON Schema`).toBe(allowed);
        expect(keys.safeParse(given).success, `${what}, by the configuration`).toBe(allowed);
      }
      // A kind of value that this test only ever refuses, or accepts, would say nothing.
      expect(counts.allowed, name).toBeGreaterThan(0);
      expect(counts.refused, name).toBeGreaterThan(0);
    }
  });

  it('have defaults that they accept, which the configuration fills in', () => {
    const required = beside(table, 'frozen', undefined);
    delete required.frozen;
    const parsed = z.strictObject(optionShape(table)).parse(required);
    for (const [name, option] of options) {
      if (option.default === undefined) continue;
      expect(isAllowed(option, option.default), name).toBe(true);
      expect(parsed[name], name).toBe(option.default);
    }
  });

  it('are refused under another name by all', () => {
    const given = beside(table, 'learningRat', 1);
    const unknown = expect.objectContaining({ code: 'UNKNOWN_OPTION', subject: 'learningRat' });
    expect(() => optimizerFromDescription({ groups: [{ match: '*', rule, options: given }] })).toThrow(unknown);
    // `frozen` takes no options, so in a program the type refuses them.
    if (rule !== 'frozen') expect(() => make(given)).toThrow(unknown);
    expect(isJson.safeParse(given).success).toBe(false);
    expect(z.strictObject(optionShape(table)).safeParse(given).success).toBe(false);
  });
});

describe('a configuration', () => {
  it('has every rule but frozen, and differs from the library in four places alone', () => {
    const configurable = Object.keys(optimizerTables) as ConfigurableRule[];
    expect([...configurable, 'frozen'].sort()).toEqual([...rules].sort());
    const differences: string[] = [];
    for (const rule of configurable) {
      const own: PlainTable = optimizerTables[rule];
      const library: PlainTable = optimizerRules[rule].options;
      for (const [name, option] of Object.entries(library)) {
        if (own[name] === option) continue;
        differences.push(`${rule}.${name}`);
        if (own[name] !== undefined) expect(own[name].default).toBe(option.default);
      }
      expect(Object.keys(library)).toEqual(expect.arrayContaining(Object.keys(own)));
    }
    const samplers = ['lieGroupAdditive', 'lieGroupMultiplicative', 'lieGroupAffine', 'ivon', 'lmd'];
    expect(differences.sort()).toEqual(
      [
        ...samplers.map((rule) => `${rule}.samples`),
        'lmd.priorMedian',
        'lmd.evaluation',
        'lmd.evaluationSamples',
      ].sort(),
    );
  });
});
