import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Tiktoken } from 'js-tiktoken/lite';
import gpt2Ranks from 'js-tiktoken/ranks/gpt2';
import { describe, expect, it } from 'vitest';
import { collect } from '../../test/temporary-folder.js';
import { encodeDocument } from './encode-document.js';
import { gpt2Boundary } from './gpt2-boundary.js';
import { whiteSpace } from './gpt2-classes.js';
import { gpt2Pattern } from './gpt2-pattern.js';
import { charactersOf, characterTokenizer, gpt2Tokenizer, type Tokenizer, tokenizerFromDescription } from './index.js';

const gpt2 = await gpt2Tokenizer();
const samples = [
  'Hello, world!',
  "We've  two spaces, don't we?\n\n\tTabs too.   ",
  'naïve café — 東京、日本。 Привет! 😀👩‍👩‍👧 \u0000\u007f\r\n',
  '<|endoftext|>Not special<|endoftext|>',
  '    if (x == 0x7f) { return -1.5e-3; }',
  '',
  ' ',
];
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.lorem({ maxCount: 30 }));
/** As UTF-8 has it: without halves of surrogate pairs. */
const wellFormed = (value: string) =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(value));

describe('gpt2Tokenizer', () => {
  it('gives the published tokens', () => {
    expect([...gpt2.encode('Hello, world!')]).toEqual([15496, 11, 995, 0]);
    expect(gpt2.vocabularySize).toBe(50257);
    expect(gpt2.endOfText).toBe(50256);
    expect(gpt2.decode([15496, 995, 50256])).toBe('Hello world<|endoftext|>');
  });

  it('agrees with another implementation on any text', () => {
    // Which pattern is right is tiktoken's to say, below.
    const oracle = new Tiktoken({ ...gpt2Ranks, pat_str: gpt2Pattern.source });
    const check = (value: string) => {
      expect([...gpt2.encode(value)]).toEqual(oracle.encode(value, [], []));
    };
    for (const sample of samples) check(sample);
    fc.assert(fc.property(text, check), { numRuns: 300 });
  });

  it('never makes the separator of a text that names it', () => {
    for (const sample of ['<|endoftext|>', 'a<|endoftext|>', samples[3]!]) {
      expect([...gpt2.encode(sample)]).not.toContain(50256);
      expect(gpt2.decode(gpt2.encode(sample))).toBe(sample);
    }
  });

  it('keeps nothing of a character that was cut for the next text', () => {
    const cut = gpt2.encode('😀').slice(0, 1);
    expect(gpt2.decode(cut)).toBe('\ufffd');
    expect(gpt2.decode(gpt2.encode('fine'))).toBe('fine');
  });

  it.each([-1, 50257, 1.5, Number.NaN])('refuses the token %d', (token) => {
    expect(() => gpt2.decode([token])).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT', value: token }));
  });
});

/** What tiktoken itself says (`tools/tokens/generate.py`). */
const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/gpt2-code-points.json', import.meta.url), 'utf8'),
) as {
  readonly block: number;
  readonly hashes: readonly string[];
  readonly contexts: Readonly<Record<string, readonly number[]>>;
  readonly texts: readonly { readonly text: string; readonly tokens: readonly number[] }[];
};

describe("gpt2Tokenizer has tiktoken's tokens", () => {
  const context = (point: number) => {
    const character = String.fromCodePoint(point);
    return `${character} a${character}b  ${character}\n`;
  };

  it.each(Object.entries(golden.contexts))('of U+%s alone, between letters and after spaces', (point, tokens) => {
    expect([...gpt2.encode(context(Number.parseInt(point, 16)))]).toEqual(tokens);
  });

  it('of text that mixes white space of all kinds with letters, numbers and signs', async () => {
    expect(golden.texts.length).toBeGreaterThan(300);
    for (const { text, tokens } of golden.texts) {
      expect([...gpt2.encode(text)], JSON.stringify(text)).toEqual(tokens);
      for (const size of [1, 3]) {
        const parts = await collect(encodeDocument(gpt2, text, size));
        expect(
          parts.flatMap((part) => [...part]),
          JSON.stringify(text),
        ).toEqual(tokens);
      }
    }
  });

  // All of them take half a minute: scripts/native-tests.mjs asks for that, and everyone else checks some of both kinds
  // of planes.
  const exhaustive = process.env.LMD_EXHAUSTIVE !== undefined;
  const checked = (block: number) => exhaustive || block < 4 || (block >= 16 && block < 20);

  it(`of ${exhaustive ? 'every code point' : 'code points below U+4000, and from U+10000 to U+13FFF'}`, {
    timeout: 240_000,
  }, () => {
    const { block, hashes } = golden;
    expect(block * hashes.length).toBe(0x110000);
    for (const [index, hash] of hashes.entries()) {
      if (!checked(index)) continue;
      const points = Array.from({ length: block }, (_, offset) => index * block + offset);
      const text = points.filter((point) => point < 0xd800 || point >= 0xe000).map(context);
      const tokens = Uint16Array.from(gpt2.encode(text.join('')));
      expect(createHash('sha256').update(tokens).digest('hex').slice(0, 16), `block ${index}`).toBe(hash);
    }
  });
});

describe('characterTokenizer', () => {
  const tokenizer = characterTokenizer(charactersOf(['hello', 'héllo 😀']));

  it('numbers characters by code point, and the separator last', () => {
    expect(tokenizer.description).toEqual({ name: 'characters', characters: [' ', 'e', 'h', 'l', 'o', 'é', '😀'] });
    expect([...tokenizer.encode('hé😀')]).toEqual([2, 5, 6]);
    expect(tokenizer.vocabularySize).toBe(8);
    expect(tokenizer.decode([2, 7])).toBe('h<|endoftext|>');
  });

  it('names a character that it lacks, and where it is', () => {
    expect(() => tokenizer.encode('😀 hex')).toThrow(/does not contain "x" \(U\+0078\), which occurs at position 5/);
    expect(() => tokenizer.decode([8])).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
  });

  it.each([[[]], [['a', 'a']], [['ab']], [['']], [[1]], ['abc']])('refuses the vocabulary %j', (characters) => {
    expect(() => characterTokenizer(characters as string[])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('every tokenizer', () => {
  const tokenizers: Tokenizer[] = [gpt2, characterTokenizer(charactersOf(samples))];

  it.each(tokenizers)('$name gives back what it was given', (tokenizer) => {
    for (const sample of samples) expect(tokenizer.decode(tokenizer.encode(sample))).toBe(sample);
  });

  it.each(tokenizers)('$name is made again of its description, as JSON', async (tokenizer) => {
    const again = await tokenizerFromDescription(JSON.parse(JSON.stringify(tokenizer.description)));
    for (const sample of samples) expect(again.encode(sample)).toEqual(tokenizer.encode(sample));
  });

  it.each(tokenizers)('$name decodes a stream as it decodes the whole', (tokenizer) => {
    const decoder = tokenizer.decoder();
    const tokens = tokenizer.encode(samples[2]!);
    expect([...tokens].map((token) => decoder.push(token)).join('') + decoder.end()).toBe(samples[2]);
  });

  it.each([
    ...[{}, null, 'gpt2', { name: 'bpe' }, { name: 'gpt2', lowercase: true }, { name: 'gpt2', characters: ['a'] }],
    ...[{ name: 'characters' }, { name: 'characters', characters: 'abc' }, { name: 'characters', characters: ['ab'] }],
  ])('is not made of %j', async (description) => {
    await expect(tokenizerFromDescription(description)).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
  });
});

describe('encodeDocument', () => {
  it('gives the tokens of the whole, wherever the text is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 6 }), fc.integer({ min: 1, max: 12 }), async (parts, size) => {
        const whole = wellFormed(parts.join(' '));
        const cuts = [0, 3, 4, 9, 20, whole.length];
        const pieces = cuts.slice(1).map((to, index) => whole.slice(cuts[index], to));
        for (const document of [whole, pieces]) {
          const encoded = await collect(encodeDocument(gpt2, document, size));
          expect(encoded.flatMap((tokens) => [...tokens])).toEqual([...gpt2.encode(whole)]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('cuts where it can, so that memory is bounded', async () => {
    const parts = await collect(encodeDocument(gpt2, 'seven words of text in this document', 8));
    expect(parts.map((tokens) => gpt2.decode(tokens))).toEqual(['seven words', ' of text', ' in this', ' document']);
  });
});

it('takes the white space of the tables for the places between tokens', () => {
  const isSpace = new Set<number>();
  const steps = whiteSpace.split(',').map((step) => Number.parseInt(step, 36));
  for (let at = 0, i = 0; i < steps.length; i += 2) {
    const first = at + steps[i]!;
    at = first + steps[i + 1]!;
    for (let point = first; point <= at; point++) isSpace.add(point);
  }
  const between = [...Array(0x3100).keys()].filter(
    (point) => `a${String.fromCharCode(point)}`.search(gpt2Boundary) === 0,
  );
  expect(between).toEqual([...isSpace]);
});
