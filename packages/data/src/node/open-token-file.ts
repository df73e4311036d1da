import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Dataset } from '@lmd/training';
import { withFileErrors } from '@lmd/training/node';
import { type TokenDatasetOptions, type TokenSource, tokenDataset } from '../text/token-dataset.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { tokenizerFromDescription } from '../text/tokenizer-from-description.js';
import { tokensOfBytes } from './little-endian.js';
import { descriptionPath, parseTokenFileDescription, type TokenFileDescription } from './token-file-description.js';

/** The options of `openTokenFile`, declared once. */
export const openTokenFileOptionTable = {
  /**
   * Vocabulary size of the tokenizer. Required for a file without a description next to it, such as one written by
   * nanoGPT. A whole number, at least 1.
   */
  vocabularySize: option.integer({
    atLeast: 1,
    describe:
      'Vocabulary size of the tokenizer. Required for a file without a description next to it, such as one ' +
      'written by nanoGPT.',
  }),
} as const satisfies OptionTable;

export interface OpenTokenFileOptions extends OptionsOf<typeof openTokenFileOptionTable> {}

/** An open token file, of which only the requested examples are read. */
export interface TokenFile extends TokenSource {
  readonly path: string;
  /** The description from the JSON file; absent if there is none. */
  readonly description?: TokenFileDescription;
  /** Examples of the file, read from the disk batch by batch. */
  dataset(options: TokenDatasetOptions): Dataset;
  /** The tokenizer of the file. Throws `DATA_CORRUPT` if there is no description. */
  tokenizer(): Promise<Tokenizer>;
  /** Reads the whole file and compares its SHA-256 with the description. Throws `DATA_CORRUPT` if they differ. */
  verify(): Promise<void>;
  /** Closes the file. Closing twice is not an error. */
  close(): Promise<void>;
}

/**
 * Opens a token file. If there is a description, the name of the data set, which is stored in checkpoints, ends in the
 * first digits of the SHA-256, so that a run does not resume on other tokens.
 *
 * @throws LmdError `DATA_CORRUPT` for a file whose length differs from its description or is odd;
 *   `INVALID_ARGUMENT` for one without description or `vocabularySize`; `FILE_SYSTEM`.
 */
export async function openTokenFile(path: string, options: OpenTokenFileOptions = {}): Promise<TokenFile> {
  const checked = resolveOptions('openTokenFile', openTokenFileOptionTable, options);
  const description = await readDescription(path);
  const vocabularySize = checkedVocabulary(path, description, checked.vocabularySize);
  const file = await withFileErrors('read', path, () => open(path, 'r'));
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await file.close();
  };
  try {
    const stat = await withFileErrors('read', path, () => file.stat());
    if (!stat.isFile() || stat.size % 2 !== 0) {
      throw corrupt(path, stat.isFile() ? `has ${stat.size} bytes, but a token takes 2` : 'is not a file', stat.size);
    }
    if (description !== undefined && description.tokens * 2 !== stat.size) {
      throw corrupt(path, `has ${stat.size / 2} tokens, but its description has ${description.tokens}`, stat.size / 2);
    }
    const name = `${basename(path)}${description === undefined ? '' : `#${description.sha256.slice(0, 12)}`}`;
    const source: TokenSource = {
      name,
      size: stat.size / 2,
      vocabularySize,
      async read(start, count) {
        if (closed) {
          throw new LmdError('INVALID_ARGUMENT', `${path} is closed.`, {
            subject: path,
            remedy: 'Close it when training has ended.',
          });
        }
        return tokensOfBytes(await readExactly(file, path, start * 2, count * 2));
      },
    };
    return {
      ...source,
      path,
      ...(description === undefined ? {} : { description }),
      dataset: (datasetOptions) => ({
        ...tokenDataset(source, datasetOptions),
        ...(description === undefined ? {} : { fingerprint: description.sha256 }),
      }),
      tokenizer: () => tokenizerFromDescription(description?.tokenizer),
      verify: () => verify(file, path, description),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readDescription(path: string): Promise<TokenFileDescription | undefined> {
  const beside = descriptionPath(path);
  const text = await withFileErrors('read', beside, () =>
    readFile(beside, 'utf8').catch((error) => (error.code === 'ENOENT' ? undefined : Promise.reject(error))),
  );
  return text === undefined ? undefined : parseTokenFileDescription(text, beside);
}

function checkedVocabulary(
  path: string,
  description: TokenFileDescription | undefined,
  given: number | undefined,
): number {
  const described = description?.vocabularySize;
  const size = given ?? described;
  if (size === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `vocabularySize is missing: ${path} has no description.`, {
      subject: 'vocabularySize',
      remedy: `Set vocabularySize (50257 for GPT-2), or prepare the data again: ${descriptionPath(path)} is missing.`,
    });
  }
  if (described === undefined || described === size) return size;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `openTokenFile: vocabularySize is ${size}, but ${path} was written with ${described}.`,
    {
      subject: 'vocabularySize',
      value: size,
      remedy: 'Omit it, or use the file that belongs to the tokenizer.',
    },
  );
}

async function readExactly(file: FileHandle, path: string, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  while (offset < length) {
    const { bytesRead } = await withFileErrors('read', path, () =>
      file.read(bytes, offset, length - offset, position + offset),
    );
    if (bytesRead === 0) throw corrupt(path, 'was truncated while it was read', position + offset);
    offset += bytesRead;
  }
  return bytes;
}

async function verify(file: FileHandle, path: string, description: TokenFileDescription | undefined): Promise<void> {
  if (description === undefined) throw corrupt(path, 'has no description with a SHA-256', path);
  const hash = createHash('sha256');
  const block = 1 << 22;
  for (let position = 0; position < description.tokens * 2; position += block) {
    hash.update(await readExactly(file, path, position, Math.min(block, description.tokens * 2 - position)));
  }
  const found = hash.digest('hex');
  if (found !== description.sha256) throw corrupt(path, 'does not match the SHA-256 of its description', found);
}

function corrupt(path: string, problem: string, value: unknown): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} ${problem}.`, {
    subject: path,
    value,
    remedy: 'Prepare the data again.',
  });
}
