import { basename, join, resolve } from 'node:path';
import { isLmdError, LmdError } from '@lmd/core';
import { fingerprintOf } from '@lmd/training';
import type { ImageSource } from '../images/image.js';
import { argumentError, checkedCount, refuseUnknownOptions } from '../options.js';
import { classFolders, filesOf } from './class-folders.js';
import { type ImageDecoder, imageDecoder } from './image-decoder.js';

export interface ImageFolderOptions {
  /** A folder for each class, with images in it or in folders of it, as ImageNet is laid out. */
  readonly folder: string;
  /** By which a checkpoint knows the data again. Default: the folder's name. */
  readonly name?: string;
  /** Names of the classes, in the order of their labels, where not all folders are classes. Default: every folder, by name. */
  readonly classNames?: readonly string[];
  /**
   * An image that does not decode: `refuse` (default) ends training with an error that names it, when it is its turn. `skip` decodes every
   * image once before anything else, and leaves out those that do not decode: see `skipped`.
   */
  readonly undecodable?: 'refuse' | 'skip';
  /** With `skip`, called after each image. */
  readonly onProgress?: (progress: { readonly checked: number; readonly of: number; readonly skipped: number }) => void;
  /** Threads that decode. Default: as many as processors, up to 8. */
  readonly threads?: number;
}

export interface ImageFolder extends ImageSource {
  readonly classNames: readonly string[];
  /** Files, by image. */
  readonly paths: readonly string[];
  /** With `skip`, the files that were left out, and why. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Files in the classes' folders that are no pictures by their extension, and so are not used. Hidden ones are not counted. */
  readonly unused: readonly string[];
  /**
   * Over the names within the folder, byte lengths and labels of the images, not over what is in them: another picture of the very same
   * length under the same name is not noticed.
   */
  readonly fingerprint: string;
  /** Ends the threads. Twice is no error. */
  close(): Promise<void>;
}

const known = ['folder', 'name', 'classNames', 'undecodable', 'onProgress', 'threads'];
const extensions = new Set(['.jpg', '.jpeg', '.png']);

/**
 * Opens a folder of JPEG and PNG images by class. Images are decoded when they are asked for, in worker threads. Their order is that of
 * class and path, the same on every machine.
 *
 * @throws LmdError `DATA_CORRUPT` where there is no class, or a class without images; `FILE_SYSTEM`. From `image`: `DATA_CORRUPT` naming
 * the file that does not decode.
 */
export async function openImageFolder(options: ImageFolderOptions): Promise<ImageFolder> {
  refuseUnknownOptions('openImageFolder', options, known);
  const { folder, undecodable = 'refuse' } = options;
  if (undecodable !== 'refuse' && undecodable !== 'skip') {
    throw argumentError('openImageFolder', 'undecodable', undecodable, 'Give "refuse" or "skip".');
  }
  if (options.threads !== undefined) checkedCount('openImageFolder', 'threads', options.threads, 1);
  const classNames = options.classNames ?? classFolders(folder);
  if (classNames.length === 0) throw empty(folder, 'has no folder in it', 'Give each class a folder of its images.');
  let entries: Entry[] = [];
  const unused: string[] = [];
  for (const [label, className] of classNames.entries()) {
    const files = await filesOf(join(folder, className), extensions, unused);
    if (files.length === 0) {
      throw empty(join(folder, className), 'holds no JPEG or PNG file', 'Remove the folder, or give classNames.');
    }
    for (const { path, name, size } of files) entries.push({ path, label, name: `${className}/${name}`, size });
  }
  const decoder = imageDecoder(options.threads);
  const skipped: { readonly path: string; readonly reason: string }[] = [];
  try {
    if (undecodable === 'skip') entries = await decodable(entries, decoder, skipped, options);
    if (entries.length === 0) throw empty(folder, 'holds no image that decodes', 'Check what the files are.');
  } catch (error) {
    await decoder.close();
    throw error;
  }
  return {
    name: options.name ?? basename(resolve(folder)),
    size: entries.length,
    classes: classNames.length,
    channels: 3,
    classNames: [...classNames],
    paths: entries.map(({ path }) => path),
    skipped,
    unused,
    fingerprint: fingerprintOf(entries.flatMap(({ name, size, label }) => [name, size, label])),
    label: (index) => entries[index]!.label,
    image: (index) => decoder.decode(entries[index]!.path),
    close: () => decoder.close(),
  };
}

interface Entry {
  readonly path: string;
  readonly label: number;
  /** Within the folder, with `/` on every system. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** Decodes everything, some at a time, and keeps what decodes, in its order. */
async function decodable(
  entries: readonly Entry[],
  decoder: ImageDecoder,
  skipped: { readonly path: string; readonly reason: string }[],
  { onProgress }: ImageFolderOptions,
): Promise<Entry[]> {
  const kept: Entry[] = [];
  const group = 64;
  for (let from = 0; from < entries.length; from += group) {
    const part = entries.slice(from, from + group);
    const reasons = await Promise.all(
      part.map(({ path }) =>
        decoder.decode(path).then(
          () => undefined,
          (error) => (isLmdError(error, 'DATA_CORRUPT') ? String(error.value) : Promise.reject(error)),
        ),
      ),
    );
    part.forEach((entry, position) => {
      const reason = reasons[position];
      if (reason === undefined) kept.push(entry);
      else skipped.push({ path: entry.path, reason });
      onProgress?.({ checked: from + position + 1, of: entries.length, skipped: skipped.length });
    });
  }
  return kept;
}

function empty(folder: string, problem: string, remedy: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${folder} ${problem}.`, { subject: folder, value: 0, remedy });
}
