import { isLmdError } from '@lmd/core';
import { expect, it } from 'vitest';
import { tokenizerFromDescription } from '../text/index.js';
import { parseTokenFileDescription } from './token-file-description.js';

const strange: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e300,
  '',
  'text',
  [],
  {},
  { toString: 1 },
  { name: 3 },
  { name: 'gpt3' },
  [[1]],
];
const description = {
  ...{ format: 'lmd-tokens', version: 1, part: 'train', tokens: 4, documents: 1, vocabularySize: 3, endOfText: 2 },
  ...{ tokenizer: { name: 'characters', characters: ['a', 'b'] }, split: { validation: 0.1, seed: 0 } },
  sha256: '0'.repeat(64),
};
/** All 10,000 where scripts/native-tests.mjs asks for them. */
const inputs = process.env.LMD_EXHAUSTIVE === undefined ? 1000 : 10_000;

it('may begin with a byte order mark', () => {
  const text = JSON.stringify(description);
  expect(parseTokenFileDescription(`\ufeff${text}`, 'train.bin.json')).toEqual(description);
  expect(() => parseTokenFileDescription(`\ufeff\ufeff${text}`, 'train.bin.json')).toThrow(
    expect.objectContaining({ code: 'DATA_CORRUPT', subject: 'train.bin.json' }),
  );
});

it('throws a typed error, or nothing, whatever stands in a description', async () => {
  // The generator mulberry32 (T. Ettinger, public domain): the same inputs on every machine.
  let state = 1;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
  const outcomes = new Set<string>();
  for (let input = 0; input < inputs; input++) {
    const json: { [name: string]: unknown } = structuredClone(description);
    const names = [...Object.keys(json), 'later'];
    for (let changes = 1 + below(2); changes > 0; changes--)
      json[names[below(names.length)]!] = strange[below(strange.length)];
    let text = JSON.stringify(json);
    if (below(6) === 0) text = text.slice(0, below(text.length));
    try {
      const { tokenizer } = parseTokenFileDescription(text, 'train.bin.json');
      await tokenizerFromDescription(tokenizer);
      outcomes.add('fine');
    } catch (error) {
      if (!isLmdError(error)) throw new Error(`Input ${input}, ${text}: ${(error as Error).stack}`, { cause: error });
      outcomes.add(error.code);
    }
  }
  expect([...outcomes].sort()).toEqual(['DATA_CORRUPT', 'fine']);
});
