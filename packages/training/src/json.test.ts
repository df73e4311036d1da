import { expect, it } from 'vitest';
import { fromJson, toJson } from './index.js';

it('keeps numbers that are not finite, under their names', () => {
  const value = {
    loss: Number.NaN,
    list: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1.5, null],
    name: 'NaN ',
  };
  const text = toJson(value);
  expect(text).toBe('{"loss":"NaN","list":["Infinity","-Infinity",-1.5,null],"name":"NaN "}');
  expect(fromJson(text)).toEqual(value);
  expect(fromJson(toJson(value, 2))).toEqual(value);
  expect(() => fromJson('{')).toThrow(SyntaxError);
});
