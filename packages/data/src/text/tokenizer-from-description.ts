import { foreignSettings, LmdError } from '@lmd/core';
import { characterTokenizer } from './character-tokenizer.js';
import { gpt2Tokenizer } from './gpt2-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * Creates the tokenizer for a description, such as that of a token file.
 *
 * @param description parsed JSON, which is validated.
 * @throws LmdError `DATA_CORRUPT` for an unknown tokenizer.
 */
export async function tokenizerFromDescription(description: unknown): Promise<Tokenizer> {
  const known = { name: 'used', characters: 'used' } as const;
  const settings = foreignSettings(description, { file: "The tokenizer's description", known, code: 'DATA_CORRUPT' });
  const name = settings.value('name');
  if (name === 'gpt2' && !settings.has('characters')) return await gpt2Tokenizer();
  const characters = settings.value('characters');
  if (name === 'characters' && Array.isArray(characters)) return charactersOf(characters);
  throw new LmdError('DATA_CORRUPT', `The tokenizer of the description is ${JSON.stringify(name)}, which is unknown.`, {
    subject: 'tokenizer',
    value: name,
    remedy: 'Use "gpt2", or "characters" with their list. For another tokenizer, pass the tokenizer object.',
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
