import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charactersOf, characterTokenizer, encodeDocuments, holdOutText, type WholeDocument } from './index.js';

const size = (documents: readonly WholeDocument[]) => documents.reduce((sum, { text }) => sum + text.length, 0);
const book = Array.from({ length: 400 }, (_, i) => `Line ${i} of a book with some words.\n`).join('');

/** The text of a document again, from its passages of both parts. */
function rebuilt(name: string, parts: ReturnType<typeof holdOutText>): string {
  return [...parts.train, ...parts.heldOut]
    .filter((one) => one.name === name || one.name.startsWith(`${name}@`))
    .sort((a, b) => Number(a.name.split('@')[1] ?? 0) - Number(b.name.split('@')[1] ?? 0))
    .map(({ text }) => text)
    .join('');
}

describe('holdOutText', () => {
  it('cuts one book at the ends of lines, from several places, and joins neighbours', () => {
    const parts = holdOutText([{ name: 'book', text: book }], { fraction: 0.2, seed: 4 });
    expect(size(parts.heldOut) / book.length).toBeCloseTo(0.2, 1);
    expect(parts.heldOut.length).toBeGreaterThan(3);
    for (const { text } of [...parts.train, ...parts.heldOut]) expect(text).toMatch(/^Line \d+ .*words\.\n$/s);
    expect(rebuilt('book', parts)).toBe(book);
    expect(holdOutText([{ name: 'book', text: book }], { fraction: 0.2, seed: 4 })).toEqual(parts);
    expect(holdOutText([{ name: 'book', text: book }], { fraction: 0.2, seed: 5 })).not.toEqual(parts);
  });

  it('holds out the last characters, in whichever document they begin', () => {
    const documents = ['first', 'second', 'third'].map((name) => ({ name, text: book }));
    const one = holdOutText(documents.slice(0, 1), { fraction: 0.1, heldOut: 'end', seed: 7 });
    const at = Math.floor(book.length * 0.9);
    expect(one).toEqual({
      train: [{ name: 'first@0', text: book.slice(0, at) }],
      heldOut: [{ name: `first@${at}`, text: book.slice(at) }],
    });
    const two = holdOutText(documents, { fraction: 1 / 3, heldOut: 'end' });
    expect(two.heldOut).toEqual([{ name: 'third', text: book }]);
    expect(holdOutText(documents, { fraction: 0.5, heldOut: 'end' }).train.map(({ name }) => name)).toEqual([
      'first',
      'second@0',
    ]);
  });

  it('divides at the same character whatever the fraction rounds to, and leaves neither part empty', () => {
    const documents = ['a'.repeat(60), 'b'.repeat(40)].map((text, i) => ({ name: `${i}`, text }));
    const { train, heldOut } = holdOutText(documents, { fraction: 0.07, heldOut: 'end' });
    expect([size(train), size(heldOut)]).toEqual([93, 7]);
    for (const fraction of [1e-9, 1 - 1e-9]) {
      const parts = holdOutText(documents, { fraction, heldOut: 'end' });
      expect(Math.min(size(parts.train), size(parts.heldOut))).toBe(1);
    }
  });

  it('keeps short documents whole', () => {
    const documents = Array.from({ length: 200 }, (_, i) => ({
      name: `${i}`,
      text: `document ${i} `.repeat(1 + (i % 5)),
    }));
    const { train, heldOut } = holdOutText(documents);
    expect([...train, ...heldOut].map(({ name }) => name).sort()).toEqual(documents.map(({ name }) => name).sort());
    expect(size(heldOut) / size(documents)).toBeCloseTo(0.1, 1);
  });

  it('loses nothing and leaves neither part empty, whatever the documents', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 2, maxLength: 300, unit: 'grapheme' }), { minLength: 1, maxLength: 20 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.nat(),
        (texts, fraction, seed) => {
          fc.pre(texts.length > 1 || texts[0]!.length > 60);
          const documents = texts.map((text, i) => ({ name: `d${i}`, text }));
          const parts = holdOutText(documents, { fraction, seed });
          expect(Math.min(parts.train.length, parts.heldOut.length)).toBeGreaterThan(0);
          for (const { name, text } of documents) expect(rebuilt(name, parts)).toBe(text);
          for (const { text } of [...parts.train, ...parts.heldOut]) expect(text).not.toMatch(/\p{Surrogate}/u);
        },
      ),
    );
  });

  it('refuses text that cannot be divided', () => {
    expect(() => holdOutText([{ name: 'a', text: 'x' }])).toThrow(/number of passages is 1/);
  });
});

describe('encodeDocuments', () => {
  it('ends each document, in 16 bits where the vocabulary allows it', async () => {
    const tokenizer = characterTokenizer(charactersOf(['ab']));
    const documents = [
      { name: '1', text: 'ab' },
      { name: '2', text: ['b', 'a'] },
    ];
    expect(await encodeDocuments(tokenizer, documents)).toEqual(Uint16Array.of(0, 1, 2, 1, 0, 2));
    expect(await encodeDocuments({ ...tokenizer, vocabularySize: 65_537 }, documents)).toBeInstanceOf(Int32Array);
  });
});
