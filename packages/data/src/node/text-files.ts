import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { withFileErrors } from '@lmd/training/node';
import type { TextDocument } from '../text/documents.js';
import { isHidden } from './hidden-files.js';
import { readUtf8 } from './utf8.js';

/** The options of `readTextFiles`, declared once. */
export const textFilesOptionTable = {
  /**
   * Extensions of the text files in a folder. Default: `.txt` and `.md`. A file given by its own path is always read. A
   * list of the ends of names.
   */
  extensions: option.value<readonly string[]>({
    describe:
      'Extensions of the text files in a folder. Default: `.txt` and `.md`. A file given by its own path is ' +
      'always read.',
    allowed: 'a list of the ends of names',
    check: Array.isArray,
  }),
  /** Separator that splits each file into documents, such as `<|endoftext|>`. Default: one document per file. */
  separator: option.text({
    describe:
      'Separator that splits each file into documents, such as `<|endoftext|>`. Default: one document per file.',
  }),
} as const satisfies OptionTable;

export interface TextFilesOptions extends OptionsOf<typeof textFilesOptionTable> {}

/**
 * Documents from files and folders, which are searched recursively, in the order of their names. Files are read on
 * demand, at most a few MiB at a time (with a `separator`, one document). The name of a document is its path within the
 * given folder, with `#1`, `#2` … if a file is split. Links to folders are not followed, and hidden files and folders
 * (`.git`, `.ipynb_checkpoints`, `__MACOSX`) are ignored.
 *
 * @throws LmdError `DATA_CORRUPT` for a file that is not valid UTF-8, naming it and the byte offset, and if there are
 * no text files; `FILE_SYSTEM`.
 */
export async function* readTextFiles(
  paths: string | readonly string[],
  options: TextFilesOptions = {},
): AsyncGenerator<TextDocument> {
  const { extensions = ['.txt', '.md'], separator } = resolveOptions('readTextFiles', textFilesOptionTable, options);
  const named = typeof paths === 'string' ? [paths] : paths;
  const taken = new Map<string, number>();
  let files = 0;
  for (const path of named) {
    for await (const file of filesIn(path, extensions)) {
      files++;
      // Of two files of one name, from different places, the second is told apart.
      const count = (taken.get(file.name) ?? 0) + 1;
      taken.set(file.name, count);
      const name = count === 1 ? file.name : `${file.name} (${count})`;
      if (separator === undefined) yield { name, text: readUtf8(file.path) };
      else yield* splitDocuments(name, file.path, separator);
    }
  }
  if (files > 0) return;
  throw new LmdError('DATA_CORRUPT', `${named.join(', ') || 'The list of paths'} has no text files.`, {
    subject: named.join(', '),
    value: 0,
    remedy: `Use files, or folders with files that end in ${extensions.join(' or ')}.`,
  });
}

interface FoundFile {
  readonly name: string;
  readonly path: string;
}

async function* filesIn(path: string, extensions: readonly string[]): AsyncGenerator<FoundFile> {
  const root = resolve(path);
  const { isFolder } = await kindOf(root);
  if (isFolder) yield* walk(root, basename(root), extensions);
  else yield { name: basename(root), path };
}

async function* walk(folder: string, name: string, extensions: readonly string[]): AsyncGenerator<FoundFile> {
  const entries = await withFileErrors('list', folder, () => readdir(folder, { withFileTypes: true }));
  // By code units, so that the order is the same on every system and in every language.
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries.filter(({ name: one }) => !isHidden(one))) {
    const path = join(folder, entry.name);
    const inner = `${name}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(path, inner, extensions);
    else if (extensions.includes(extname(entry.name).toLowerCase()) && (await kindOf(path)).isFile) {
      yield { name: inner, path };
    }
  }
}

async function kindOf(path: string): Promise<{ readonly isFolder: boolean; readonly isFile: boolean }> {
  const found = await withFileErrors('read', path, () => stat(path));
  return { isFolder: found.isDirectory(), isFile: found.isFile() };
}

async function* splitDocuments(name: string, path: string, separator: string): AsyncGenerator<TextDocument> {
  let rest = '';
  let count = 0;
  for await (const part of readUtf8(path)) {
    const pieces = (rest + part).split(separator);
    rest = pieces.pop()!;
    for (const text of pieces) yield { name: `${name}#${++count}`, text };
  }
  if (rest !== '') yield { name: `${name}#${++count}`, text: rest };
}
