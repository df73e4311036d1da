import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compactJson } from './compact-json.js';

it('puts as many entries on a line as fit', () => {
  const value = { name: 'a', steps: 300, data: { kind: 'text', path: 'x'.repeat(30) }, rates: [1, 2], none: undefined };
  expect(compactJson(value, 50).split('\n')).toEqual([
    '{',
    '  "name": "a", "steps": 300,',
    '  "data": {',
    '    "kind": "text",',
    `    "path": "${'x'.repeat(30)}"`,
    '  },',
    '  "rates": [1, 2]',
    '}',
  ]);
  expect(compactJson([], 50)).toBe('[]');
  expect(compactJson({ a: {} }, 50)).toBe('{ "a": {} }');
});

it('is JSON of the same value, however wide the lines are', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 120 }), (value, columns) => {
      const text = compactJson(value, columns);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
