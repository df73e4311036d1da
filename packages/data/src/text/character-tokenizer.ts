import { LmdError } from '@lmd/core';
import { argumentError } from '../options.js';
import { decodeWith, endOfTextMark, type StreamingDecoder, type Tokenizer } from './tokenizer.js';

/**
 * A tokenizer with one token per character (Unicode code point), and a last token between documents.
 *
 * @param characters the vocabulary, such as the result of `charactersOf`: unique strings of one character each.
 * @throws LmdError `INVALID_ARGUMENT` naming an entry that is not a single character or is a duplicate.
 */
export function characterTokenizer(characters: readonly string[]): Tokenizer {
  if (!Array.isArray(characters) || characters.length === 0) {
    throw argumentError('characterTokenizer', 'characters', characters, 'Use a list of at least one character.');
  }
  const tokens = new Map<string, number>();
  for (const [token, character] of characters.entries()) {
    if (typeof character !== 'string' || [...character].length !== 1 || tokens.has(character)) {
      throw argumentError(
        'characterTokenizer',
        `characters[${token}]`,
        character,
        tokens.has(character) ? 'Remove the duplicate.' : 'Use strings of one character each.',
      );
    }
    tokens.set(character, token);
  }
  const vocabulary = Object.freeze([...characters]);
  const endOfText = vocabulary.length;
  const textOf = (token: number): string => {
    const text = token === endOfText ? endOfTextMark : vocabulary[token];
    if (text !== undefined) return text;
    throw new LmdError('DATA_CORRUPT', `${token} is not a token of the vocabulary of ${endOfText} characters.`, {
      subject: 'token',
      value: token,
      remedy: `Tokens must be integers from 0 to ${endOfText}. Check their source.`,
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
            `The vocabulary of ${endOfText} characters does not contain ${JSON.stringify(character)} (U+${character
              .codePointAt(0)!
              .toString(16)
              .toUpperCase()
              .padStart(4, '0')}), which occurs at position ${offset}.`,
            {
              subject: 'text',
              value: character,
              remedy: 'Create the vocabulary from all texts, or remove the character.',
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

/** The unique characters of texts, sorted by code point: the vocabulary of a `characterTokenizer`. */
export function charactersOf(texts: Iterable<string>): string[] {
  const seen = new Set<string>();
  for (const text of texts) for (const character of text) seen.add(character);
  return [...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}
