import { LmdError } from '@lmd/core';
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
  const { name, characters } = (description ?? {}) as { readonly name?: unknown; readonly characters?: unknown };
  if (name === 'gpt2') return await gpt2Tokenizer();
  if (name === 'characters' && Array.isArray(characters)) return characterTokenizer(characters);
  throw new LmdError('DATA_CORRUPT', `The description of a tokenizer names ${JSON.stringify(name)}.`, {
    subject: 'tokenizer',
    value: name,
    remedy: 'Known are "gpt2" and "characters"; for another, bring the tokenizer itself.',
  });
}
