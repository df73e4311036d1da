import { existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { hasMnistFiles, imageDecoder, imageExtensions, textExtensions } from '@lmd/data/node';
import { UsageError } from '../errors.js';
import { runLayout } from '../run/layout.js';

/** What a path given to `lmd train` is. */
export type Found =
  | { readonly kind: 'images'; readonly files: readonly string[] }
  | { readonly kind: 'csv' | 'text' | 'tokens' | 'mnist' };

/** Files of one kind that must outnumber those of the other for a folder to be of that kind. */
const clearMajority = 10;

/** Whether a path is data rather than a configuration: a folder, or a file with the extension of text or of a table. */
export function isData(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  return found.isDirectory() || [...textExtensions, '.csv', '.parquet'].includes(extname(path).toLowerCase());
}

/**
 * What kind of data a path is.
 *
 * @throws UsageError `INVALID_ARGUMENT` for a folder that is a run, has no data, or has data of two kinds.
 */
export function surveyData(path: string): Found {
  if (!statSync(path).isDirectory()) return { kind: extname(path).toLowerCase() === '.csv' ? 'csv' : 'text' };
  if (existsSync(runLayout(path).configuration)) {
    throw refuse(
      path,
      'is a run folder',
      `Resume it with lmd train --resume ${path}, or use its configuration, ${join(path, 'config.json')}.`,
    );
  }
  if (existsSync(join(path, 'train.bin.json'))) return { kind: 'tokens' };
  if (hasMnistFiles(path)) return { kind: 'mnist' };
  const images: string[] = [];
  let texts = 0;
  for (const file of filesBelow(resolve(path))) {
    const extension = extname(file).toLowerCase();
    if (imageExtensions.includes(extension)) images.push(file);
    else if (textExtensions.includes(extension)) texts++;
  }
  if (images.length > 0 && images.length >= clearMajority * texts) return { kind: 'images', files: images };
  if (texts > 0 && texts >= clearMajority * images.length) return { kind: 'text' };
  if (images.length === 0) {
    const remedy = `Images end in ${imageExtensions.join(', ')}, text in ${textExtensions.join(', ')}.`;
    throw refuse(path, 'has no images and no text', remedy);
  }
  const problem = `has both images (${images.length}) and text files (${texts})`;
  throw refuse(
    path,
    problem,
    'Write a configuration with data.kind = imageFolder or text, or use a folder of one kind.',
  );
}

function refuse(path: string, problem: string, remedy: string): UsageError {
  return new UsageError('INVALID_ARGUMENT', `${path} ${problem}.`, { subject: 'configuration', value: path, remedy });
}

/** Links to folders are followed, as by `openImageFolder`, which refuses loops; here a folder is entered once. */
function* filesBelow(folder: string, seen = new Set<string>()): Generator<string> {
  const { dev, ino } = statSync(folder);
  const identity = `${dev}:${ino}`;
  if (seen.has(identity)) return;
  seen.add(identity);
  for (const name of readdirSync(folder)
    .filter((one) => !one.startsWith('.'))
    .sort()) {
    const path = join(folder, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) yield* filesBelow(path, seen);
    else if (found?.isFile() === true) yield path;
  }
}

/** Pictures that are decoded to learn their usual size. */
const decodedPictures = 15;

/** Median of the shorter sides of some images, in pixels; undefined if none of them decodes. */
export async function usualSide(files: readonly string[]): Promise<number | undefined> {
  const step = Math.max(1, Math.floor(files.length / decodedPictures));
  const some = files.filter((_, index) => index % step === 0).slice(0, decodedPictures);
  const decoder = imageDecoder();
  try {
    const images = await Promise.allSettled(some.map((path) => decoder.decode(path)));
    const sides = images.flatMap((one) =>
      // What does not decode is named, or skipped, by the training.
      one.status === 'fulfilled' ? [Math.min(one.value.width, one.value.height)] : [],
    );
    return sides.sort((a, b) => a - b)[Math.floor(sides.length / 2)];
  } finally {
    await decoder.close();
  }
}
