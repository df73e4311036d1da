import { basename, join, resolve } from 'node:path';
import { isLmdError, LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { type FingerprintPart, fingerprintOf } from '@lmd/training';
import type { ImageSource } from '../images/image.js';
import { argumentError } from '../options.js';
import { classFolders, filesOf } from './class-folders.js';
import { type ImageDecoder, imageDecoder } from './image-decoder.js';
import { readWhole } from './read-file.js';
import { loadSharp } from './sharp.js';

/** The options of `openImageFolder`, declared once. */
export const imageFolderOptionTable = {
  /** Folder with one subfolder per class, like ImageNet; images may be in nested subfolders. Required. */
  folder: option.text({
    required: true,
    describe: 'Folder with one subfolder per class, like ImageNet; images may be in nested subfolders.',
  }),
  /** Name of the data in checkpoints. Default: the name of the folder. */
  name: option.text({ describe: 'Name of the data in checkpoints. Default: the name of the folder.' }),
  /**
   * Names of the classes, in the order of their labels, if not all subfolders are classes. Default: all subfolders,
   * sorted by name. The names of folders without duplicates.
   */
  classNames: option.value<readonly string[]>({
    describe:
      'Names of the classes, in the order of their labels, if not all subfolders are classes. Default: all ' +
      'subfolders, sorted by name.',
    allowed: 'the names of folders without duplicates',
    check: areClassNames,
  }),
  /**
   * How to handle images that cannot be decoded. `refuse`: training ends with an error that names the image when it is
   * first needed. `skip`: every image is decoded once at the start, and those that fail are left out (see `skipped`).
   * `refuse` or `skip`; default `refuse`.
   */
  undecodable: option.choice(['refuse', 'skip'], {
    default: 'refuse',
    describe:
      'How to handle images that cannot be decoded. `refuse`: training ends with an error that names the image ' +
      'when it is first needed. `skip`: every image is decoded once at the start, and those that fail are left ' +
      'out (see `skipped`).',
  }),
  /** Called after each image that `skip` has checked. A function. */
  onProgress: option.callback<
    (progress: { readonly checked: number; readonly of: number; readonly skipped: number }) => void
  >({ describe: 'Called after each image that `skip` has checked.' }),
  /**
   * Decoder of the files; its extensions determine which files are images. The caller closes it. Default:
   * `imageDecoder()`, which requires the package sharp. An object.
   */
  decoder: option.object<ImageDecoder>({
    describe:
      'Decoder of the files; its extensions determine which files are images. The caller closes it. Default: ' +
      '`imageDecoder()`, which requires the package sharp.',
  }),
} as const satisfies OptionTable;

export interface ImageFolderOptions extends OptionsOf<typeof imageFolderOptionTable> {}

export interface ImageFolder extends ImageSource {
  readonly classNames: readonly string[];
  /** Files, by image. */
  readonly paths: readonly string[];
  /** With `skip`, the excluded files with reasons. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /**
   * Files in the class folders without an image extension, which are not used. Hidden files are not included.
   */
  readonly unused: readonly string[];
  /**
   * Over the names within the folder, byte lengths and labels of the images, and over the contents of the first of
   * them, in order, up to 64 MiB together. After these, a replaced image of exactly the same length is not detected.
   */
  readonly fingerprint: string;
  /** Closes the decoder, unless it was given. Closing twice is not an error. */
  close(): Promise<void>;
}

/**
 * Opens a folder of images by class. Images are decoded on demand, in background threads. Their order is by class and
 * path, the same on every machine. Links to folders are followed; hidden files and folders, such as
 * `.ipynb_checkpoints` and `__MACOSX`, are ignored.
 *
 * @throws LmdError `DATA_CORRUPT` if there are no classes, or a class has no images; `ENGINE_MISSING` if sharp is not
 * installed and no decoder is given; `FILE_SYSTEM`. From `image`: `DATA_CORRUPT` naming the file that cannot be
 * decoded.
 */
export async function openImageFolder(options: ImageFolderOptions): Promise<ImageFolder> {
  const checked = resolveOptions('openImageFolder', imageFolderOptionTable, options);
  const { folder, undecodable, onProgress } = checked;
  const decoder = await decoderOf(checked.decoder);
  const extensions = new Set(decoder.extensions);
  const { classNames = classFolders(folder) } = checked;
  if (classNames.length === 0)
    throw empty(folder, 'has no subfolders', 'Put the images of each class into a subfolder.');
  let entries: Entry[] = [];
  const unused: string[] = [];
  for (const [label, className] of classNames.entries()) {
    const files = await filesOf(join(folder, className), extensions, unused);
    if (files.length === 0) {
      throw empty(
        join(folder, className),
        `has no images (${[...extensions].join(', ')})`,
        'Remove the folder, or set classNames.',
      );
    }
    for (const { path, name, size } of files) entries.push({ path, label, name: `${className}/${name}`, size });
  }
  const skipped: { readonly path: string; readonly reason: string }[] = [];
  if (undecodable === 'skip') entries = await decodable(entries, decoder, skipped, onProgress);
  if (entries.length === 0) throw empty(folder, 'has no image that can be decoded', 'Check the files.');
  const entryAt = (index: number): Entry => {
    const entry = entries[index];
    if (entry !== undefined) return entry;
    throw argumentError(
      'openImageFolder',
      'the index of an image',
      index,
      `Use an index from 0 to ${entries.length - 1}.`,
    );
  };
  return {
    name: checked.name ?? basename(resolve(folder)),
    size: entries.length,
    classes: classNames.length,
    channels: 3,
    classNames: [...classNames],
    paths: entries.map(({ path }) => path),
    skipped,
    unused,
    fingerprint: await fingerprintOfImages(entries),
    label: (index) => entryAt(index).label,
    image: async (index) => await decoder.decode(entryAt(index).path),
    close: async () => {
      if (checked.decoder === undefined) await decoder.close();
    },
  };
}

/** Maximum number of bytes read for a fingerprint, so that it takes at most a second. */
const fingerprintedBytes = 64 * 2 ** 20;

/**
 * One file in memory at a time. The first that is beyond the budget ends the reading, so that the same folder is always
 * read alike.
 */
async function fingerprintOfImages(entries: readonly Entry[]): Promise<string> {
  const parts: FingerprintPart[] = [];
  let left = fingerprintedBytes;
  for (const { path, name, size, label } of entries) {
    parts.push(name, size, label);
    left -= size;
    if (left >= 0) parts.push(fingerprintOf([await readWhole(path, 0, () => undefined)]));
  }
  return fingerprintOf(parts);
}

/** A folder with two labels would put an image into two classes. */
function areClassNames(names: unknown): boolean {
  return (
    Array.isArray(names) &&
    names.length > 0 &&
    names.every((name) => typeof name === 'string' && name !== '' && !name.includes('\0')) &&
    new Set(names).size === names.length
  );
}

/** @throws LmdError `INVALID_ARGUMENT`; `ENGINE_MISSING`, now and not at the first image. */
async function decoderOf(given: ImageDecoder | undefined): Promise<ImageDecoder> {
  if (given === undefined) {
    await loadSharp();
    return imageDecoder();
  }
  const { extensions, decode } = given as Partial<ImageDecoder>;
  const areExtensions =
    Array.isArray(extensions) && extensions.every((one) => typeof one === 'string' && /^\.[^A-Z]+$/.test(one));
  if (areExtensions && extensions.length > 0 && typeof decode === 'function') return given;
  throw argumentError(
    'openImageFolder',
    'decoder',
    given,
    "Use an object with decode(path) and extensions, such as ['.jpg']: see ImageDecoder.",
  );
}

interface Entry {
  readonly path: string;
  readonly label: number;
  /** Within the folder, with `/` on every system. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** Decodes all images, several at a time, and keeps those that can be decoded, in order. */
async function decodable(
  entries: readonly Entry[],
  decoder: ImageDecoder,
  skipped: { readonly path: string; readonly reason: string }[],
  onProgress: ImageFolderOptions['onProgress'],
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
