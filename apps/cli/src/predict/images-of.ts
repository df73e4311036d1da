import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { imageExtensions, listImages } from '@lmd/data/node';
import { UsageError } from '../errors.js';
import { count } from '../output/units.js';

/** The images of an argument: a file, or the files of a folder and its subfolders. */
export interface Images {
  readonly images: readonly string[];
  readonly isFolder: boolean;
  readonly unused: readonly string[];
}

/** @throws UsageError if there is nothing, or a folder without images. */
export async function imagesOf(input: string): Promise<Images> {
  const found = statSync(input, { throwIfNoEntry: false });
  if (found === undefined) throw missingInput(input, 'Use the path of an image, or of a folder with images.');
  if (!found.isDirectory()) return { images: [input], isFolder: false, unused: [] };
  const { images, unused } = await listImages(resolve(input));
  if (images.length > 0) return { images, isFolder: true, unused };
  throw new UsageError('INVALID_ARGUMENT', `${input} has no images.`, {
    subject: 'input',
    value: input,
    remedy: `Images end in ${imageExtensions.join(', ')}.`,
  });
}

/** Counts the files of a folder that are not images, and names one. */
export function unusedNotes(unused: readonly string[]): readonly string[] {
  if (unused.length === 0) return [];
  const what = unused.length === 1 ? 'file is' : 'files are';
  return [`${count(unused.length)} ${what} not an image by name, such as ${unused[0]}`];
}

/** The error for an argument that names nothing. */
export function missingInput(input: string, remedy: string): UsageError {
  return new UsageError('FILE_SYSTEM', `${input} does not exist.`, { subject: 'input', value: input, remedy });
}
