import fc from 'fast-check';
import { Tiktoken } from 'js-tiktoken/lite';
import gpt2Ranks from 'js-tiktoken/ranks/gpt2';
import { describe, expect, it } from 'vitest';
import { collect } from '../../test/temporary-folder.js';
import { encodeDocument } from './encode-document.js';
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
    const oracle = new Tiktoken(gpt2Ranks);
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

describe('characterTokenizer', () => {
  const tokenizer = characterTokenizer(charactersOf(['hello', 'héllo 😀']));

  it('numbers characters by code point, and the separator last', () => {
    expect(tokenizer.description).toEqual({ name: 'characters', characters: [' ', 'e', 'h', 'l', 'o', 'é', '😀'] });
    expect([...tokenizer.encode('hé😀')]).toEqual([2, 5, 6]);
    expect(tokenizer.vocabularySize).toBe(8);
    expect(tokenizer.decode([2, 7])).toBe('h<|endoftext|>');
  });

  it('names a character that it lacks, and where it is', () => {
    expect(() => tokenizer.encode('😀 hex')).toThrow(/lacks "x" \(U\+0078\), which stands at position 5/);
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

  it.each([{}, null, { name: 'bpe' }, { name: 'characters' }, { name: 'characters', characters: 'abc' }])(
    'is not made of %j',
    async (description) => {
      await expect(tokenizerFromDescription(description)).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
    },
  );
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
