import { LmdError } from '@lmd/core';
import type { CorpusPart } from '../text/documents.js';
import type { TokenizerDescription } from '../text/tokenizer.js';

export const tokenFileFormat = 'lmd-tokens';

/** What a token file holds: the JSON beside it. */
export interface TokenFileDescription {
  readonly format: typeof tokenFileFormat;
  readonly version: 1;
  readonly part: CorpusPart;
  readonly tokens: number;
  readonly documents: number;
  /** What `tokenizerFromDescription` takes, or a third party's name. */
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

/** Parses and checks a description; `DATA_CORRUPT` names the file and the field. */
export function parseTokenFileDescription(text: string, path: string): TokenFileDescription {
  let value: Partial<Record<keyof TokenFileDescription, unknown>>;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, 'is no JSON', text.slice(0, 40), cause);
  }
  if (typeof value !== 'object' || value === null || value.format !== tokenFileFormat) {
    throw corrupt(path, `does not describe a token file`, value);
  }
  if (value.version !== 1) throw corrupt(path, `is of version ${String(value.version)}, not 1`, value.version);
  const { tokens, documents, vocabularySize, endOfText, sha256, tokenizer } = value;
  for (const [name, count] of Object.entries({ tokens, documents, vocabularySize, endOfText })) {
    if (!Number.isSafeInteger(count) || (count as number) < 0)
      throw corrupt(path, `has the ${name} ${String(count)}`, count);
  }
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw corrupt(path, 'has no SHA-256', sha256);
  if (typeof (tokenizer as { name?: unknown } | null | undefined)?.name !== 'string') {
    throw corrupt(path, 'names no tokenizer', tokenizer);
  }
  return value as TokenFileDescription;
}

function corrupt(path: string, problem: string, value: unknown, cause?: unknown): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} ${problem}.`, {
    subject: path,
    value,
    remedy: 'Prepare the data again.',
    cause,
  });
}
