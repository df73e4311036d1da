import { describe, expect, it } from 'vitest';
import { foreignSettings, isLmdError, parseForeignJson, showValue } from './index.js';

const known = { width: 'used', name: 'ignored', mode: ['plain', null], act: 'used', eps: 'used', on: 'used' } as const;
const read = (json: unknown) => foreignSettings(json, { file: 'x.json', known });

function errorOf(action: () => unknown) {
  try {
    action();
  } catch (error) {
    if (isLmdError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('foreignSettings', () => {
  it('gives what is used, and defaults', () => {
    const settings = read({ width: 8, name: { any: 1 }, mode: 'plain', act: 'relu' });
    expect(settings.count('width')).toBe(8);
    expect(settings.positive('eps', 1e-5)).toBe(1e-5);
    expect(settings.choice('act', { relu: 1, gelu: 2 })).toBe(1);
    expect(settings.flag('on', true)).toBe(true);
    expect(settings.has('eps')).toBe(false);
  });

  it.each([
    [{ mode: 'fancy' }, 'mode', 'x.json has mode = "fancy". It must be "plain" or null.'],
    [{ extra: 3 }, 'extra', 'x.json has extra = 3. This setting is not known'],
    [{ extra: { a: 'b'.repeat(200) } }, 'extra', '...'],
  ])('refuses %j by name and value', (json, subject, message) => {
    const error = errorOf(() => read(json));
    expect(error).toMatchObject({ code: 'UNSUPPORTED', subject });
    expect(error.message).toContain(message);
  });

  it.each([null, false, {}, [], ''])('passes over an unknown setting that is %j', (value) => {
    expect(() => read({ extra: value })).not.toThrow();
  });

  it.each([null, 3, 'text', [], undefined])('refuses %j, which is no object', (json) => {
    expect(errorOf(() => read(json))).toMatchObject({ code: 'DATA_CORRUPT', subject: 'x.json' });
  });

  it('names a value of the wrong kind, and one that is missing', () => {
    const settings = read({ width: 0, act: 'toString', on: 'yes', eps: -1 });
    for (const [name, ask] of [
      ['width', () => settings.count('width')],
      ['act', () => settings.choice('act', { relu: 1 })],
      ['on', () => settings.flag('on', false)],
      ['eps', () => settings.positive('eps')],
    ] as const) {
      expect(errorOf(ask)).toMatchObject({ code: 'UNSUPPORTED', subject: name });
    }
    expect(errorOf(() => read({}).count('width')).message).toContain('x.json lacks width.');
    expect(errorOf(() => read({ __proto__: null }).count('constructor')).message).toContain('lacks constructor');
  });
});

describe('parseForeignJson', () => {
  it('takes a byte order mark, once', () => {
    expect(parseForeignJson('\ufeff{"a":1}', 'x.json')).toEqual({ a: 1 });
    for (const text of ['\ufeff\ufeff{}', '{', '']) {
      const error = errorOf(() => parseForeignJson(text, 'x.json', 'Make it again.'));
      expect(error).toMatchObject({ code: 'DATA_CORRUPT', subject: 'x.json' });
      expect(error.message).toMatch(/^x\.json is no valid JSON: .* Make it again\.$/s);
    }
  });
});

describe('showValue', () => {
  it.each([
    [3, '3'],
    ['text', '"text"'],
    [{ toString: 1 }, '{"toString":1}'],
    [[1, 2], '[1,2]'],
    [undefined, 'undefined'],
    ['x'.repeat(200), `"${'x'.repeat(76)}...`],
  ])('of %j is %s', (value, text) => {
    expect(showValue(value)).toBe(text);
  });

  it('of what JSON has no word for is the kind of it', () => {
    expect(showValue({ big: 2n })).toBe('an object');
  });
});
