import { describe, expect, it } from 'vitest';
import { magnitudesOf, naiveCode } from '../test/naive.js';
import { interestingFloats } from '../test/values.js';
import {
  decodeElement,
  decodeElements,
  type ElementName,
  elementFormats,
  encodeElement,
  encodeElements,
  MxFormatError,
} from './index.js';

const names = Object.keys(elementFormats) as ElementName[];

describe.each(names)('%s codes', (name) => {
  const element = elementFormats[name];
  const half = 2 ** (element.bits - 1);
  const codes = Uint8Array.from({ length: 2 * half }, (_, code) => code);

  it('every code decodes and encodes back to itself, NaNs and infinities included', () => {
    expect(encodeElements(decodeElements(codes, name), name)).toEqual(codes);
  });

  it('one at a time likewise, where a NaN has the one canonical code', () => {
    for (const code of codes) {
      const value = decodeElement(code, name);
      if (!Number.isNaN(value)) expect(encodeElement(value, name)).toBe(code);
      else expect(encodeElement(value, name)).toBe(name === 'e5m2' ? 0x7e : 0x7f);
    }
  });

  it('decodes to the magnitudes of the specification', () => {
    magnitudesOf(name).forEach((magnitude, code) => {
      expect(decodeElement(code, name)).toBe(magnitude);
      if (element.kind === 'float') expect(decodeElement(half + code, name)).toBe(-magnitude);
      else if (code > 0) expect(decodeElement(2 * half - code, name)).toBe(-magnitude);
    });
  });

  it.each(['nearestEven', 'nearestAway', 'towardZero'] as const)('encodes as the oracle does under %s', (rounding) => {
    const values = interestingFloats(element);
    const magnitudes = magnitudesOf(name);
    const actual = encodeElements(values, name, rounding);
    values.forEach((value, i) => {
      const code = naiveCode(magnitudes, Math.abs(value), rounding);
      const negative = value < 0 || Object.is(value, -0);
      const lowest = element.kind === 'int' && value === -2;
      const expected = lowest
        ? half
        : !negative
          ? code
          : element.kind === 'int'
            ? (2 * half - code) % 256
            : half + code;
      if (actual[i] !== expected) expect.fail(`${value} became code ${actual[i]}, not ${expected}`);
      if (i < 500 && encodeElement(value, name, rounding) !== expected)
        expect.fail(`${value} alone became another code`);
    });
  });

  it('rounds a float64 once, not by way of float32', () => {
    // Just above a tie, by less than float32 can tell.
    const [low, high] = magnitudesOf(name).slice(-3) as [number, number];
    const tie = (low + high) / 2;
    const above = tie * (1 + 2 ** -40);
    expect(Math.fround(above)).toBe(tie);
    expect(decodeElement(encodeElement(above, name), name)).toBe(high);
    expect(decodeElement(encodeElement(tie * (1 - 2 ** -40), name), name)).toBe(low);
  });
});

describe('encodeElement', () => {
  it('saturates what is finite, and gives infinities the format’s infinity or NaN', () => {
    expect(encodeElement(1e30, 'e5m2')).toBe(0x7b);
    expect(encodeElement(Number.POSITIVE_INFINITY, 'e5m2')).toBe(0x7c);
    expect(encodeElement(Number.NEGATIVE_INFINITY, 'e5m2')).toBe(0xfc);
    expect(encodeElement(1e30, 'e4m3')).toBe(0x7e);
    expect(encodeElement(Number.NEGATIVE_INFINITY, 'e4m3')).toBe(0xff);
    expect(encodeElement(-1e30, 'int8')).toBe(0x81);
    expect(encodeElement(-2, 'int8')).toBe(0x80);
    expect(encodeElement(5e-324, 'e5m2')).toBe(0);
    expect(encodeElement(Number.MAX_VALUE, 'e2m1')).toBe(7);
  });

  const refusals: [string, () => unknown, string, string][] = [
    ['NaN where there is no code for it', () => encodeElement(Number.NaN, 'e2m1'), 'UNSUPPORTED', 'NaN'],
    [
      'an infinity where there is no code for it',
      () => encodeElement(Number.NEGATIVE_INFINITY, 'int8'),
      'UNSUPPORTED',
      '-Infinity',
    ],
    ['NaN among many', () => encodeElements(Float32Array.of(1, Number.NaN), 'e3m2'), 'UNSUPPORTED', 'NaN'],
    ['a code out of range', () => decodeElement(16, 'e2m1'), 'INVALID_ARGUMENT', '16'],
    ['a fractional code', () => decodeElement(1.5, 'e2m1'), 'INVALID_ARGUMENT', '1.5'],
    ['a packed byte among codes', () => decodeElements(Uint8Array.of(1, 64), 'e3m2'), 'INVALID_ARGUMENT', '64'],
    ['an unknown format', () => encodeElement(1, 'e3m4' as ElementName), 'INVALID_ARGUMENT', 'e3m2'],
    [
      'stochastic rounding of a lone element',
      () => encodeElement(1, 'e3m2', 'stochastic' as never),
      'INVALID_ARGUMENT',
      'stochastic',
    ],
  ];
  it.each(refusals)('refuses %s', (_, act, code, mention) => {
    let error: unknown;
    try {
      act();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MxFormatError);
    expect([(error as MxFormatError).code, (error as MxFormatError).message]).toEqual([
      code,
      expect.stringContaining(mention),
    ]);
  });
});
