import { describe, expect, it } from 'vitest';
import { defaultsOf, describeOption, type OptionsOf, option, refuseUnknownOptions, resolveOptions } from '../index.js';

const table = {
  rate: option.schedule({ atLeast: 0, default: 0.1, describe: 'Step size.' }),
  size: option.integer({ atLeast: 1, required: true, describe: 'Size.' }),
  bound: option.number({ above: 0, below: 1, describe: 'Bound.' }),
  kind: option.choice(['one', 'two'], { default: 'one', describe: 'Kind.' }),
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
    expect(refusal({})).toThrow('rule: size is missing. Give an integer at least 1.');
    expect(refusal({ size: 1, bound: 1 })).toThrow('rule: bound is 1. Give a finite number above 0 and below 1.');
    expect(refusal({ size: 1, kind: 'three' })).toThrow('rule: kind is "three". Give one of: one, two.');
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
});

describe('refuseUnknownOptions', () => {
  it.each([
    [{ szie: 1 }, 'rule has no option "szie". Its options are size, rate.'],
    [{ Size: 1 }, 'rule has no option "Size". Did you mean "size"? Its options are size, rate.'],
    [{ rates: 1 }, 'rule has no option "rates". Did you mean "rate"? Its options are size, rate.'],
    [{ ['x'.repeat(100_000)]: 1 }, 'Its options are size, rate.'],
    [null, 'rule: the options are null. Give a record with any of: size, rate.'],
    [[1], 'rule: the options are [1]. Give a record with any of: size, rate.'],
  ])('refuses %j', (given, message) => {
    expect(() => refuseUnknownOptions('rule', given, ['size', 'rate'])).toThrow(message);
  });
});
