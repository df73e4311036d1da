import { LmdError } from '@lmd/core';
import {
  charactersOf,
  characterTokenizer,
  encodeDocuments,
  holdOutText,
  tokenDataset,
  tokensInMemory,
} from '@lmd/data/text';
import { gpt2 } from '@lmd/models';
import { subset } from '@lmd/training';
import type { Task } from '../training/task.js';

/** Characters of an example: the context of the network. */
const length = 64;
/** As the preset `own-text` of `lmd`. */
const network = { width: 64, depth: 2, heads: 2 } as const;
/** Of which a tenth is held out, which must have examples of its own. */
export const leastText = 2000;
const mostCharacters = 1024;
/** Examples of the held-out text that a validation uses. */
const mostHeldOut = 64;

/**
 * A language model of characters.
 *
 * @throws LmdError `INVALID_ARGUMENT` for a text that is too short, or has too many different characters.
 */
export async function textTask(name: string, text: string, seed: number): Promise<Task> {
  if (text.length < leastText) {
    throw new LmdError('INVALID_ARGUMENT', `The text has ${text.length.toLocaleString('en')} characters.`, {
      subject: 'text',
      value: text.length,
      remedy: `Use a text of at least ${leastText.toLocaleString('en')} characters, a page or two.`,
    });
  }
  const characters = charactersOf([text]);
  if (characters.length > mostCharacters) {
    throw new LmdError('INVALID_ARGUMENT', `The text has ${characters.length} different characters.`, {
      subject: 'text',
      value: characters.length,
      remedy: `Each is a token here, and at most ${mostCharacters} are allowed. Use a text in an alphabet.`,
    });
  }
  const tokenizer = characterTokenizer(characters);
  const parts = holdOutText([{ name, text }], { seed });
  const windows = async (part: string, documents: Parameters<typeof encodeDocuments>[1]) =>
    tokenDataset(
      tokensInMemory(`text/${part}`, await encodeDocuments(tokenizer, documents), tokenizer.vocabularySize),
      {
        length,
      },
    );
  const train = await windows('train', parts.train);
  const heldOut = await windows('validation', parts.heldOut);
  const count = Math.min(heldOut.size, mostHeldOut);
  return {
    kind: 'text',
    model: gpt2({ ...network, vocabularySize: tokenizer.vocabularySize, contextLength: length }),
    train,
    validation: subset(
      heldOut,
      Int32Array.from({ length: count }, (_, n) => n),
      'text/validation',
    ),
    title: `${text.length.toLocaleString('en')} characters of ${name}, ${characters.length} different ones`,
    tokenizer: tokenizer.description!,
    notes: [],
    files: { 'text.txt': new TextEncoder().encode(text) },
    configuration: {
      data: { kind: 'text', path: 'data/text.txt', tokenizer: 'characters', length },
      model: { kind: 'gpt2', ...network },
    },
  };
}
