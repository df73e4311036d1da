import { foreignSettings, parseForeignJson } from '@lmd/core';
import type { CorpusPart } from '../text/documents.js';
import type { TokenizerDescription } from '../text/tokenizer.js';

export const tokenFileFormat = 'lmd-tokens';

/** The description of a token file, a JSON file in the same folder. */
export interface TokenFileDescription {
  readonly format: typeof tokenFileFormat;
  readonly version: 1;
  readonly part: CorpusPart;
  readonly tokens: number;
  readonly documents: number;
  /** Input of `tokenizerFromDescription`, or the name of a custom tokenizer. */
  readonly tokenizer: TokenizerDescription | { readonly name: string };
  readonly vocabularySize: number;
  readonly endOfText: number;
  /** How documents were held out. */
  readonly split: { readonly validation: number; readonly seed: number };
  /** Of the token file, in hexadecimal. */
  readonly sha256: string;
}

export function descriptionPath(path: string): string {
  return `${path}.json`;
}

const known = {
  format: [tokenFileFormat],
  version: [1],
  part: ['train', 'validation'],
  tokens: 'used',
  documents: 'used',
  tokenizer: 'used',
  vocabularySize: 'used',
  endOfText: 'used',
  split: 'used',
  sha256: 'used',
} as const;

/**
 * Parses and checks a description.
 *
 * @throws LmdError `DATA_CORRUPT` whose message names the file, the field and its value; unknown fields are an error.
 */
export function parseTokenFileDescription(text: string, path: string): TokenFileDescription {
  const json = parseForeignJson(text, path, remedy);
  const settings = foreignSettings(json, { file: path, known, remedy, code: 'DATA_CORRUPT' });
  const refuse = (name: string, problem: string) => settings.refuse(name, `${problem} ${remedy}`);
  for (const name of ['format', 'version', 'part', 'tokenizer', 'split']) {
    if (!settings.has(name)) refuse(name, 'Every description has it.');
  }
  const number = (name: string) => {
    const value = settings.value(name);
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : refuse(name, 'It is a count.');
  };
  number('documents');
  number('tokens');
  if (number('endOfText') >= settings.count('vocabularySize')) refuse('endOfText', 'It is below vocabularySize.');
  const sha256 = settings.value('sha256');
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) refuse('sha256', 'It has 64 hexadecimal digits.');
  const split = foreignSettings(settings.value('split'), {
    file: `${path} (split)`,
    known: { validation: 'used', seed: 'used' },
    remedy,
    code: 'DATA_CORRUPT',
  });
  for (const name of ['validation', 'seed']) {
    const value = split.value(name);
    if (typeof value !== 'number' || !(value >= 0)) split.refuse(name, `It is a number. ${remedy}`);
  }
  const tokenizer = settings.value('tokenizer');
  if (typeof (tokenizer as { name?: unknown } | null)?.name !== 'string') refuse('tokenizer', 'It has a name.');
  return json as TokenFileDescription;
}

const remedy = 'Prepare the data again.';
