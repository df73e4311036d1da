import { LmdError } from '@lmd/core';
import { argumentError } from '../options.js';
import { decodeWith, endOfTextMark, type StreamingDecoder, type Tokenizer } from './tokenizer.js';

/**
 * One token a character (Unicode code point), and one more, the last, between documents.
 *
 * @param characters the vocabulary, such as `charactersOf` finds it: strings of one character each, no two equal.
 * @throws LmdError `INVALID_ARGUMENT` naming the entry that is no character or stands twice.
 */
export function characterTokenizer(characters: readonly string[]): Tokenizer {
  if (!Array.isArray(characters) || characters.length === 0) {
    throw argumentError('characterTokenizer', 'characters', characters, 'Give a list of at least one character.');
  }
  const tokens = new Map<string, number>();
  for (const [token, character] of characters.entries()) {
    if (typeof character !== 'string' || [...character].length !== 1 || tokens.has(character)) {
      throw argumentError(
        'characterTokenizer',
        `characters[${token}]`,
        character,
        tokens.has(character) ? 'Name each character once.' : 'Give strings of one character each.',
      );
    }
    tokens.set(character, token);
  }
  const vocabulary = Object.freeze([...characters]);
  const endOfText = vocabulary.length;
  const textOf = (token: number): string => {
    const text = token === endOfText ? endOfTextMark : vocabulary[token];
    if (text !== undefined) return text;
    throw new LmdError('DATA_CORRUPT', `${token} is no token of the ${endOfText} characters.`, {
      subject: 'token',
      value: token,
      remedy: `Tokens are the integers from 0 to ${endOfText}: check where they come from.`,
    });
  };
  const decoder = (): StreamingDecoder => ({ push: textOf, end: () => '' });
  return {
    name: 'characters',
    vocabularySize: endOfText + 1,
    endOfText,
    encode(text) {
      const encoded = new Int32Array(text.length);
      let length = 0;
      let offset = 0;
      for (const character of text) {
        const token = tokens.get(character);
        if (token === undefined) {
          throw new LmdError(
            'DATA_CORRUPT',
            `The vocabulary of ${endOfText} characters lacks ${JSON.stringify(character)} (U+${character
              .codePointAt(0)!
              .toString(16)
              .toUpperCase()
              .padStart(4, '0')}), which stands at position ${offset}.`,
            {
              subject: 'text',
              value: character,
              remedy: 'Make the vocabulary of all texts together, or leave the character out.',
            },
          );
        }
        encoded[length++] = token;
        offset += character.length;
      }
      return encoded.slice(0, length);
    },
    decode: (encoded) => decodeWith(decoder(), encoded),
    decoder,
    description: { name: 'characters', characters: vocabulary },
  };
}

/** The characters of texts, each once, by code point: the vocabulary of a `characterTokenizer`. */
export function charactersOf(texts: Iterable<string>): string[] {
  const seen = new Set<string>();
  for (const text of texts) for (const character of text) seen.add(character);
  return [...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}
