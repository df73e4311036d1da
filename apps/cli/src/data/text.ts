import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { type Corpus, readCorpus } from '@lmd/data/node';
import {
  charactersOf,
  encodeDocuments,
  holdOutText,
  type TokenizerDescription,
  tokenDataset,
  tokenizerFromDescription,
  tokensInMemory,
  type WholeDocument,
} from '@lmd/data/text';
import { type Dataset, fingerprintOf } from '@lmd/training';
import type { TextConfiguration } from '../configuration/data-schema.js';
import type { DataSource } from './source.js';
import { halves } from './tokens.js';

/** GPT-2's tokens, with `endOfText`. */
const gpt2VocabularySize = 50_257;

interface ReadText extends Corpus {
  readonly tokenizer: TokenizerDescription;
}

/** The last text that was read: several questions are asked of it, and it is the same for all optimizers. */
let last: { readonly key: string; readonly text: ReadText } | undefined;

function textOf({ path, field, separator, tokenizer }: TextConfiguration): ReadText {
  const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  const key = JSON.stringify([path, field, separator, tokenizer, mtimeMs, size]);
  if (last?.key === key) return last.text;
  const corpus = readCorpus({ path, field, separator }, 'data.');
  const characters = tokenizer === 'characters' ? charactersOf(corpus.documents.map(({ text }) => text)) : [];
  const description: TokenizerDescription =
    tokenizer === 'characters' ? { name: 'characters', characters } : { name: 'gpt2' };
  const text = { ...corpus, tokenizer: description };
  last = { key, text };
  return text;
}

function vocabularySize({ tokenizer }: ReadText): number {
  return tokenizer.name === 'gpt2' ? gpt2VocabularySize : tokenizer.characters.length + 1;
}

/**
 * Text as it is, tokenized in memory. The tokens depend only on the text, the configuration and the seed, so that a run
 * resumes to the same bits; their fingerprint shows a changed text.
 */
export const text: DataSource<'text'> = {
  locate(configuration) {
    const path = resolve(configuration.path);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      throw new LmdError('FILE_SYSTEM', `data.path is ${path}, which does not exist.`, {
        subject: 'data.path',
        value: path,
        remedy: 'Use a text file, a JSON Lines file, or a folder of such files.',
      });
    }
    textOf({ ...configuration, path });
    return { ...configuration, path };
  },
  geometry(configuration) {
    return {
      kind: 'tokens',
      vocabularySize: vocabularySize(textOf(configuration)),
      length: configuration.length,
    };
  },
  async load(configuration, seed) {
    const { path, length, validation, heldOut } = configuration;
    const read = textOf(configuration);
    const parts = holdOutText(read.documents, { fraction: validation, heldOut, seed });
    const dataset = async (part: string, documents: readonly WholeDocument[]): Promise<Dataset> => {
      const tokens = await encodeDocuments(await tokenizerFromDescription(read.tokenizer), documents);
      const needed = part === 'train' ? length + 1 : 2 * length + 1;
      if (tokens.length < needed) throw tooShort(length, part, tokens.length, validation);
      const source = tokensInMemory(`${basename(path)}/${part}`, tokens, vocabularySize(read));
      return { ...tokenDataset(source, { length }), fingerprint: fingerprintOf([tokens]) };
    };
    const train = await dataset('train', parts.train);
    return { train, ...halves(await dataset('held-out', parts.heldOut)), unused: read.unused };
  },
  describe(configuration) {
    const { documents, tokenizer } = textOf(configuration);
    const characters = documents.reduce((sum, { text }) => sum + text.length, 0).toLocaleString('en-GB');
    const count = documents.length === 1 ? '1 document' : `${documents.length.toLocaleString('en-GB')} documents`;
    const how = tokenizer.name === 'gpt2' ? 'tokens of gpt2' : 'one token for each';
    return `text from ${configuration.path} (${count}, ${characters} characters, ${how})`;
  },
  tokenizer: (configuration) => textOf(configuration).tokenizer,
};

function tooShort(length: number, part: string, tokens: number, validation: number): LmdError {
  const [what, need] =
    part === 'train'
      ? ['training text', 'one example']
      : [`held-out text (data.validation is ${validation})`, 'one example each for validation and test'];
  return new LmdError(
    'INVALID_ARGUMENT',
    `data.length is ${length}, but the ${what} has only ${tokens} tokens, which is not ${need}.`,
    { subject: 'data.length', value: length, remedy: 'Use a smaller length, hold out another part, or use more text.' },
  );
}
