import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { fileSystemError } from '@lmd/training/node';
import type { WholeDocument } from '../text/hold-out-text.js';
import { isHidden } from './hidden-files.js';
import { readJsonLines } from './json-lines.js';
import { parquetError, refuseParquet } from './parquet.js';
import { readUtf8Sync } from './utf8.js';

const jsonLines: readonly string[] = ['.jsonl', '.ndjson'];

/** Extensions of the text files that are used in a folder, in lower case, with the dot. */
export const textExtensions: readonly string[] = ['.txt', '.md', ...jsonLines];

/** The options of `readCorpus`, declared once. */
export const corpusOptionTable = {
  /**
   * Text file, JSON Lines file (`.jsonl`, `.ndjson`), or folder of such files (and `.md`), searched recursively.
   * Required.
   */
  path: option.text({
    required: true,
    describe:
      'Text file, JSON Lines file (`.jsonl`, `.ndjson`), or folder of such files (and `.md`), searched recursively.',
  }),
  /** Field of the text in each line of a JSON Lines file. Default: `text`. */
  field: option.text({ describe: 'Field of the text in each line of a JSON Lines file. Default: `text`.' }),
  /** Separator that splits a text file into documents, such as `<|endoftext|>`. Default: one document per file. */
  separator: option.text({
    describe:
      'Separator that splits a text file into documents, such as `<|endoftext|>`. Default: one document per file.',
  }),
} as const satisfies OptionTable;

export interface CorpusOptions extends OptionsOf<typeof corpusOptionTable> {}

/** Text in memory. */
export interface Corpus {
  /** Documents that are not empty, in the order of the names of their files. */
  readonly documents: readonly WholeDocument[];
  /**
   * Files of the folder that are not used, because their extension is not one of text. Hidden files are not included.
   */
  readonly unused: readonly string[];
}

/** Larger text is to be read from token files. */
const maxBytes = 256 * 2 ** 20;

/**
 * Reads text into memory: one file, JSON Lines with a field, or a folder of both. Links to folders are not followed,
 * and hidden files and folders are ignored.
 *
 * @param prefix of the options in errors: `data.` of a configuration whose `data` has them.
 * @throws LmdError `DATA_CORRUPT` for text that is not UTF-8, a line that is not a JSON object with the field, and if
 *   there is no text; `UNSUPPORTED` for parquet, and for more than 256 MiB; `INVALID_ARGUMENT` for a `field` without
 *   JSON Lines; `FILE_SYSTEM`.
 */
export function readCorpus(options: CorpusOptions, prefix = ''): Corpus {
  const { path, field, separator } = resolveOptions('readCorpus', corpusOptionTable, options);
  const root = resolve(path);
  const isFolder = sizeOf(root) === undefined;
  const unused: string[] = [];
  const files = isFolder ? filesBelow(root, '', unused) : [{ path: root, name: basename(root) }];
  if (!isFolder) refuseParquet(root, 'jsonl');
  const parquet = unused.find((file) => extname(file).toLowerCase() === '.parquet');
  if (files.length === 0) {
    if (parquet !== undefined) throw parquetError(parquet, 'jsonl');
    throw noText(path, `has no text files`, `Use files that end in ${textExtensions.join(', ')}.`);
  }
  refuseLarge(path, files);
  if (field !== undefined && !files.some(isJsonLines)) {
    throw new LmdError(
      'INVALID_ARGUMENT',
      `${prefix === '' ? 'readCorpus: ' : prefix}field is ${field}, but ${path} has no JSON Lines file.`,
      {
        subject: `${prefix}field`,
        value: field,
        remedy: 'Omit it: it is for files that end in .jsonl or .ndjson.',
      },
    );
  }
  const documents = files.flatMap((file) =>
    named(
      file.name,
      isJsonLines(file)
        ? readJsonLines(file.path, field ?? 'text', prefix)
        : splitText(readUtf8Sync(file.path), separator),
    ),
  );
  if (documents.length === 0) throw noText(path, 'has no text', 'Use at least one document that is not empty.');
  return { documents, unused };
}

interface TextFile {
  readonly path: string;
  /** Within the folder, with `/` on every system. */
  readonly name: string;
}

const isJsonLines = ({ name }: TextFile): boolean => jsonLines.includes(extname(name).toLowerCase());

function splitText(text: string, separator: string | undefined): string[] {
  return separator === undefined ? [text] : text.split(separator);
}

/** Documents of one file: `book.txt`, or `book.txt#1` … if it has several. */
function named(name: string, texts: readonly string[]): WholeDocument[] {
  return texts.flatMap((text, index) =>
    text === '' ? [] : [{ name: texts.length === 1 ? name : `${name}#${index + 1}`, text }],
  );
}

function filesBelow(folder: string, prefix: string, unused: string[]): TextFile[] {
  let entries: readonly { readonly name: string; isDirectory(): boolean }[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw fileSystemError('list', folder, error);
  }
  // By code units, so that the order is the same on every system and in every language.
  const inOrder = entries.filter(({ name }) => !isHidden(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return inOrder.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, `${prefix}${entry.name}/`, unused);
    const isText = textExtensions.includes(extname(entry.name).toLowerCase());
    if (isText && sizeOf(path) !== undefined) return [{ path, name: prefix + entry.name }];
    unused.push(path);
    return [];
  });
}

/** Bytes of a file; undefined for a folder. */
function sizeOf(path: string): number | undefined {
  try {
    const found = statSync(path);
    return found.isDirectory() ? undefined : found.size;
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}

function refuseLarge(path: string, files: readonly TextFile[]): void {
  const bytes = files.reduce((sum, file) => sum + (sizeOf(file.path) ?? 0), 0);
  if (bytes <= maxBytes) return;
  throw new LmdError(
    'UNSUPPORTED',
    `${path} has ${bytes} bytes of text, but at most ${maxBytes} are read into memory.`,
    {
      subject: path,
      value: bytes,
      remedy: 'Write token files, which are read from disk: lmd data prepare, or writeTokenFiles.',
    },
  );
}

function noText(path: string, problem: string, remedy: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} ${problem}.`, { subject: path, value: 0, remedy });
}
