import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { type AtomicFile, createAtomicFile, writeFileAtomic } from '@lmd/safetensors/node';
import { withFileErrors } from '@lmd/training/node';
import { argumentError } from '../options.js';
import { type CorpusPart, partOf, type TextDocument } from '../text/documents.js';
import { encodeDocument } from '../text/encode-document.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { littleEndianTokens } from './little-endian.js';
import { descriptionPath, type TokenFileDescription, tokenFileFormat } from './token-file-description.js';

/** The options of `writeTokenFiles`, declared once. */
export const writeTokenFilesOptionTable = {
  /** Folder of `train.bin` and `val.bin`. It is created if missing, and existing files are replaced. Required. */
  folder: option.text({
    required: true,
    describe: 'Folder of `train.bin` and `val.bin`. It is created if missing, and existing files are replaced.',
  }),
  /** Documents to tokenize. Documents that can be iterated over; required. */
  documents: option.value<Iterable<TextDocument> | AsyncIterable<TextDocument>>({
    required: true,
    describe: 'Documents to tokenize.',
    allowed: 'documents that can be iterated over',
    check: (value) =>
      typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value),
  }),
  /** Tokenizer of the documents. An object; required. */
  tokenizer: option.object<Tokenizer>({ required: true, describe: 'Tokenizer of the documents.' }),
  /**
   * Fraction of the documents to hold out for validation; with 0 there is no `val.bin`. At least 0 and at most 1;
   * default 0.1.
   */
  validation: option.number({
    atLeast: 0,
    atMost: 1,
    default: 0.1,
    describe: 'Fraction of the documents to hold out for validation; with 0 there is no `val.bin`.',
  }),
  /**
   * Random seed that selects the documents that are held out, by (seed, name of the document). A whole number, at least
   * 0; default 0.
   */
  seed: option.integer({
    atLeast: 0,
    default: 0,
    describe: 'Random seed that selects the documents that are held out, by (seed, name of the document).',
  }),
  /** Called after each part of about 2^18 characters, and after each document. A function. */
  onProgress: option.callback<(progress: TokenFilesProgress) => void>({
    describe: 'Called after each part of about 2^18 characters, and after each document.',
  }),
  /** Aborting it ends the work; no file is written. An object. */
  signal: option.object<AbortSignal>({ describe: 'Aborting it ends the work; no file is written.' }),
} as const satisfies OptionTable;

export interface WriteTokenFilesOptions extends OptionsOf<typeof writeTokenFilesOptionTable> {}

export interface TokenFilesProgress {
  /** Finished so far. */
  readonly documents: number;
  readonly tokens: number;
}

export interface TokenFiles {
  readonly train: TokenFileDescription;
  readonly validation?: TokenFileDescription;
  /** Number of empty documents, which are skipped. */
  readonly emptyDocuments: number;
}

const fileNames: Readonly<Record<CorpusPart, string>> = { train: 'train.bin', validation: 'val.bin' };
/**
 * Writes a corpus as token files of nanoGPT: the concatenated tokens of all documents, each document followed by the
 * token `endOfText`, as unsigned little-endian 16-bit integers; and for each file a description with its SHA-256, such
 * as `train.bin.json`. Each document is entirely in training or validation. All files are written atomically.
 *
 * @throws LmdError `DATA_CORRUPT` for a corpus without text, and errors of the documents and the tokenizer;
 *   `INVALID_ARGUMENT` for a vocabulary of more than 65,536 tokens, and if a part has no documents;
 *   `INTERRUPTED` on `signal`; `FILE_SYSTEM`.
 */
export async function writeTokenFiles(options: WriteTokenFilesOptions): Promise<TokenFiles> {
  const checked = resolveOptions('writeTokenFiles', writeTokenFilesOptionTable, options);
  const { folder, documents, tokenizer, validation, seed, onProgress, signal } = checked;
  if (!(tokenizer.vocabularySize <= 65536)) {
    const { vocabularySize } = tokenizer;
    const remedy = 'Tokens are stored in 16 bits. Use a tokenizer with at most 65536 tokens.';
    throw argumentError('writeTokenFiles', 'tokenizer.vocabularySize', vocabularySize, remedy);
  }
  await withFileErrors('create the folder', folder, () => mkdir(folder, { recursive: true }));
  const writers = new Map<CorpusPart, TokenWriter>();
  try {
    for (const part of ['train', 'validation'] as const) {
      if (part === 'train' || validation > 0)
        writers.set(part, await TokenWriter.create(join(folder, fileNames[part])));
    }
    let finished = 0;
    let emptyDocuments = 0;
    const report = () => {
      const tokens = [...writers.values()].reduce((sum, writer) => sum + writer.tokens, 0);
      onProgress?.({ documents: finished, tokens });
    };
    for await (const { name, text } of documents) {
      const writer = writers.get(partOf(name, validation, seed))!;
      const before = writer.tokens;
      for await (const tokens of encodeDocument(tokenizer, text)) {
        refuseAbort(signal);
        await writer.write(tokens);
        report();
      }
      if (writer.tokens === before) {
        emptyDocuments++;
        continue;
      }
      await writer.endDocument(tokenizer.endOfText);
      finished++;
      report();
    }
    for (const [part, writer] of writers) {
      if (writer.documents === 0) throw emptyPart(part, finished, validation);
    }
    refuseAbort(signal);
    return { ...(await finish(options, writers, { validation, seed })), emptyDocuments };
  } finally {
    for (const writer of writers.values()) await writer.discard();
  }
}

/** The old descriptions are removed first and the new ones are written last, so that none describes other tokens. */
async function finish(
  { folder, tokenizer }: WriteTokenFilesOptions,
  writers: ReadonlyMap<CorpusPart, TokenWriter>,
  split: TokenFileDescription['split'],
): Promise<Omit<TokenFiles, 'emptyDocuments'>> {
  for (const name of Object.values(fileNames)) {
    const path = join(folder, name);
    await withFileErrors('remove', path, () => rm(descriptionPath(path), { force: true }));
  }
  if (!writers.has('validation')) {
    const path = join(folder, fileNames.validation);
    await withFileErrors('remove', path, () => rm(path, { force: true }));
  }
  const descriptions: Partial<Record<CorpusPart, TokenFileDescription>> = {};
  for (const [part, writer] of writers) {
    descriptions[part] = {
      format: tokenFileFormat,
      version: 1,
      part,
      tokens: writer.tokens,
      documents: writer.documents,
      tokenizer: tokenizer.description ?? { name: tokenizer.name },
      vocabularySize: tokenizer.vocabularySize,
      endOfText: tokenizer.endOfText,
      split,
      sha256: await writer.commit(),
    };
  }
  for (const [part, writer] of writers) {
    const text = `${JSON.stringify(descriptions[part], null, 2)}\n`;
    await withFileErrors('write', writer.path, () => writeFileAtomic(descriptionPath(writer.path), text));
  }
  return descriptions as Omit<TokenFiles, 'emptyDocuments'>;
}

/** One unfinished file: bytes are collected, hashed and written in turn. */
class TokenWriter {
  tokens = 0;
  documents = 0;
  readonly #hash = createHash('sha256');

  private constructor(
    readonly path: string,
    readonly file: AtomicFile,
  ) {}

  static async create(path: string): Promise<TokenWriter> {
    return new TokenWriter(path, await withFileErrors('write', path, () => createAtomicFile(path)));
  }

  async write(tokens: Int32Array): Promise<void> {
    const bytes = littleEndianTokens(tokens);
    this.#hash.update(bytes);
    this.tokens += tokens.length;
    await withFileErrors('write', this.path, () => this.file.write(bytes));
  }

  async endDocument(endOfText: number): Promise<void> {
    await this.write(Int32Array.of(endOfText));
    this.documents++;
  }

  async commit(): Promise<string> {
    await withFileErrors('write', this.path, () => this.file.commit());
    return this.#hash.digest('hex');
  }

  discard(): Promise<void> {
    return this.file.discard();
  }
}

function refuseAbort(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new LmdError('INTERRUPTED', 'The preparation of token files was interrupted; nothing was written.', {
    subject: 'signal',
    remedy: 'Start it again.',
  });
}

function emptyPart(part: CorpusPart, documents: number, validation: number): LmdError {
  if (documents === 0) {
    return new LmdError('DATA_CORRUPT', 'The corpus has no text.', {
      subject: 'documents',
      value: 0,
      remedy: 'Use at least one document that is not empty.',
    });
  }
  const remedy =
    part === 'validation'
      ? 'Increase validation, use another seed or more documents, split files by a separator, or set validation to 0.'
      : 'Decrease validation, or use another seed or more documents.';
  return new LmdError(
    'INVALID_ARGUMENT',
    `With validation ${validation}, none of the ${documents} documents is selected for ${part}.`,
    {
      subject: 'validation',
      value: validation,
      remedy,
    },
  );
}
