import { describe, expect, it } from 'vitest';
import {
  defaultsOf,
  describeOption,
  didYouMean,
  type OptionsOf,
  option,
  optionsJsonSchema,
  refuseUnknownOptions,
  resolveOptions,
} from '../index.js';

const table = {
  rate: option.schedule({ atLeast: 0, default: 0.1, describe: 'Step size.' }),
  size: option.integer({ atLeast: 1, required: true, describe: 'Size.' }),
  bound: option.number({ above: 0, below: 1, describe: 'Bound.' }),
  kind: option.choice(['one', 'two'], { default: 'one', describe: 'Kind.' }),
} as const;

const otherKinds = {
  name: option.text({ required: true, describe: 'Name.' }),
  part: option.interval({ above: 0, atMost: 1, describe: 'Part.' }),
  again: option.either([{ kind: 'boolean' }, { kind: 'choice', choices: ['blocks'] }], {
    default: false,
    describe: 'Again.',
  }),
  clock: option.callback<() => number>({ describe: 'Clock.' }),
} as const;

const refusal = (given: object) => () => resolveOptions('rule', table, given as OptionsOf<typeof table>);

describe('a table of options', () => {
  it('fills in defaults, and makes a schedule of a step size', () => {
    const { rate, ...rest } = resolveOptions('rule', table, { size: 2 });
    expect([rate(0), rate(9)]).toEqual([0.1, 0.1]);
    expect(rest).toEqual({ size: 2, bound: undefined, kind: 'one' });
    expect(defaultsOf(table)).toEqual({ rate: 0.1, kind: 'one' });
  });

  it('refuses by name, value, what is allowed and remedy', () => {
    expect(refusal({})).toThrow('rule: size is missing. Use an integer at least 1.');
    expect(refusal({ size: 1, bound: 1 })).toThrow('rule: bound is 1. Use a finite number above 0 and below 1.');
    expect(refusal({ size: 1, kind: 'three' })).toThrow('rule: kind is "three". Use one of: one, two.');
    const { rate } = resolveOptions('rule', table, { size: 1, rate: (step) => -step });
    expect(rate(0)).toBeCloseTo(0);
    expect(() => rate(1)).toThrow('rule: rate(1) is -1.');
  });

  it('describes an option with its bounds and default', () => {
    expect(Object.values(table).map(describeOption)).toEqual([
      'Step size. A number or a schedule, at least 0; default 0.1.',
      'Size. A whole number, at least 1; required.',
      'Bound. Above 0 and below 1.',
      'Kind. `one` or `two`; default `one`.',
    ]);
  });

  it('checks texts, intervals, functions and alternatives with a default', () => {
    const resolve = (given: object) => resolveOptions('rule', otherKinds, given as OptionsOf<typeof otherKinds>);
    expect(resolve({ name: 'a', part: [0.5, 1] })).toEqual({ name: 'a', part: [0.5, 1], again: false });
    expect(resolve({ name: 'a', again: 'blocks', clock: Date.now })).toMatchObject({
      again: 'blocks',
      clock: Date.now,
    });
    expect(() => resolve({ name: '' })).toThrow('rule: name is "". Use a non-empty string without NUL characters.');
    for (const part of [[0, 1], [1, 0.5], [0.5], [0.5, 2], 0.5, ['0.5', 1]]) {
      expect(() => resolve({ name: 'a', part })).toThrow(
        'Use two numbers above 0 and at most 1, the smaller one first.',
      );
    }
    expect(() => resolve({ name: 'a', clock: 1 })).toThrow('rule: clock is 1. Use a function.');
    expect(() => resolve({ name: 'a', again: 'heads' })).toThrow(
      'rule: again is "heads". Use true or false, or "blocks".',
    );
  });

  it('has a JSON Schema of what a file can hold', () => {
    expect(optionsJsonSchema(otherKinds)).toEqual({
      type: 'object',
      properties: {
        name: { description: 'Name.', type: 'string', minLength: 1 },
        part: {
          ...{ description: 'Part.', type: 'array', minItems: 2, maxItems: 2 },
          items: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
        },
        again: {
          description: 'Again.',
          anyOf: [{ type: 'boolean' }, { type: 'string', enum: ['blocks'] }],
          default: false,
        },
      },
      required: ['name'],
      additionalProperties: false,
    });
  });
});

describe('refuseUnknownOptions', () => {
  it.each([
    [{ count: 1 }, 'rule has no option "count". Its options are size, rate.'],
    [{ szie: 1 }, 'rule has no option "szie". Did you mean "size"? Its options are size, rate.'],
    [{ si: 1 }, 'rule has no option "si". Did you mean "size"? Its options are size, rate.'],
    [{ Size: 1 }, 'rule has no option "Size". Did you mean "size"? Its options are size, rate.'],
    [{ rates: 1 }, 'rule has no option "rates". Did you mean "rate"? Its options are size, rate.'],
    [{ ['x'.repeat(100_000)]: 1 }, 'Its options are size, rate.'],
    [null, 'rule: the options are null. Pass a record with any of: size, rate.'],
    [[1], 'rule: the options are [1]. Pass a record with any of: size, rate.'],
  ])('refuses %j', (given, message) => {
    expect(() => refuseUnknownOptions('rule', given, ['size', 'rate'])).toThrow(message);
  });
});

describe('didYouMean', () => {
  it.each([
    ['learningrate', ['learningRate', 'beta1'], ' Did you mean "learningRate"?'],
    ['stpes', ['seed', 'steps'], ' Did you mean "steps"?'],
    ['frob', ['seed', 'steps'], ''],
    ['', ['seed'], ''],
    ['x', [], ''],
  ])('of %j among %j', (typed, known, suggestion) => expect(didYouMean(typed, known)).toBe(suggestion));
});
