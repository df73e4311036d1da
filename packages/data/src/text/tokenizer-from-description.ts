import { foreignSettings, LmdError } from '@lmd/core';
import { characterTokenizer } from './character-tokenizer.js';
import { gpt2Tokenizer } from './gpt2-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * The tokenizer that a file describes, as the JSON beside a token file does.
 *
 * @param description parsed JSON, of which nothing is taken on trust.
 * @throws LmdError `DATA_CORRUPT` for one that this package does not know.
 */
export async function tokenizerFromDescription(description: unknown): Promise<Tokenizer> {
  const known = { name: 'used', characters: 'used' } as const;
  const settings = foreignSettings(description, { file: "The tokenizer's description", known, code: 'DATA_CORRUPT' });
  const name = settings.value('name');
  if (name === 'gpt2' && !settings.has('characters')) return await gpt2Tokenizer();
  const characters = settings.value('characters');
  if (name === 'characters' && Array.isArray(characters)) return charactersOf(characters);
  throw new LmdError('DATA_CORRUPT', `The description of a tokenizer names ${JSON.stringify(name)}.`, {
    subject: 'tokenizer',
    value: name,
    remedy: 'Known are "gpt2" and "characters" with a list of them; for another, bring the tokenizer itself.',
  });
}

function charactersOf(characters: readonly unknown[]): Tokenizer {
  try {
    return characterTokenizer(characters as readonly string[]);
  } catch (cause) {
    throw new LmdError('DATA_CORRUPT', `The description of a tokenizer is damaged: ${(cause as Error).message}`, {
      subject: 'tokenizer',
      value: characters,
      cause,
    });
  }
}
