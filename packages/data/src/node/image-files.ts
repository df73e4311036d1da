import { isLmdError, type LmdError, type OptionsOf, type OptionTable, option, type ResolvedOptions } from '@lmd/core';
import { type FingerprintPart, fingerprintOf } from '@lmd/training';
import type { ImageSource, ReductionTarget } from '../images/image.js';
import { type PreprocessingOptions, preprocessingOptionTable } from '../images/preprocessing.js';
import { argumentError } from '../options.js';
import { chosenOrientation, type ImageDecoder, imageDecoder } from './image-decoder.js';
import { readWhole } from './read-file.js';
import { reductionTarget } from './reduction-target.js';
import { loadSharp } from './sharp.js';
import { undecodable } from './undecodable.js';

/** How the files of a source of images are read, declared once. */
export const imageFilesOptionTable = {
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
  /**
   * Whether images are turned as their EXIF orientation says, or keep their pixels as stored. A custom `decoder`
   * decides itself. Default: that of `preprocessing`, or `exif`. `exif` or `stored`.
   */
  orientation: option.choice(preprocessingOptionTable.orientation.choices, {
    describe:
      'Whether images are turned as their EXIF orientation says, or keep their pixels as stored. A custom `decoder` ' +
      'decides itself. Default: that of `preprocessing`, or `exif`.',
  }),
  /**
   * How the images will be preprocessed: with `decoding: 'reduced'`, a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
   * where that suffices for this input. A custom `decoder` decides itself. Default: images are decoded in full. An
   * object.
   */
  preprocessing: option.object<PreprocessingOptions>({
    describe:
      "How the images will be preprocessed: with `decoding: 'reduced'`, a JPEG is decoded at 1/2, 1/4 or 1/8 of its " +
      'size where that suffices for this input. A custom `decoder` decides itself. Default: images are ' +
      'decoded in full.',
  }),
} as const satisfies OptionTable;

/** Images in files, decoded when they are needed. */
export interface ImageFiles extends ImageSource {
  readonly classNames: readonly string[];
  /** Files, by image. */
  readonly paths: readonly string[];
  /** With `skip`, the excluded files with reasons. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /**
   * Over the names, byte lengths and labels of the images, and over the contents of the first of them, in order, up to
   * 64 MiB together. After these, a replaced image of exactly the same length is not detected. Over `reducedFor` as
   * well, if there is one.
   */
  readonly fingerprint: string;
  /** Closes the decoder, unless it was given. Closing twice is not an error. */
  close(): Promise<void>;
}

/** An image file with its class. */
export interface LabelledFile {
  readonly path: string;
  readonly label: number;
  /** In the fingerprint, with `/` on every system. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export interface ListedImages {
  readonly name: string;
  readonly files: readonly LabelledFile[];
  readonly classNames: readonly string[];
}

/**
 * A source of images in listed files.
 *
 * @param owner name of the public function, for errors.
 * @param decoder from `decoderOf`.
 * @param none makes the error if no image can be decoded.
 */
export async function openImageFiles(
  owner: string,
  { name, files, classNames }: ListedImages,
  options: ResolvedOptions<typeof imageFilesOptionTable>,
  decoder: ImageDecoder,
  none: () => LmdError,
): Promise<ImageFiles> {
  const skipped: { readonly path: string; readonly reason: string }[] = [];
  const entries = options.undecodable === 'skip' ? await decodable(files, decoder, skipped, options.onProgress) : files;
  if (entries.length === 0) throw none();
  const entryAt = (index: number): LabelledFile => {
    const entry = entries[index];
    if (entry !== undefined) return entry;
    throw argumentError(owner, 'the index of an image', index, `Use an index from 0 to ${entries.length - 1}.`);
  };
  const reducedFor = options.decoder === undefined ? reductionTarget(owner, options.preprocessing) : undefined;
  return {
    name,
    size: entries.length,
    classes: classNames.length,
    channels: 3,
    classNames: [...classNames],
    paths: entries.map(({ path }) => path),
    skipped,
    ...(options.decoder === undefined ? { orientation: chosenOrientation(owner, options) } : {}),
    ...(reducedFor === undefined ? {} : { reducedFor }),
    fingerprint: await fingerprintOfImages(entries, reducedFor),
    label: (index) => entryAt(index).label,
    image: async (index) => await decodeOneOf(entryAt(index), decoder),
    close: async () => {
      if (options.decoder === undefined) await decoder.close();
    },
  };
}

/** With the option in the remedy, which a decoder of single images does not have. */
async function decodeOneOf({ path }: LabelledFile, decoder: ImageDecoder) {
  try {
    return await decoder.decode(path);
  } catch (error) {
    if (!isLmdError(error, 'DATA_CORRUPT') || typeof error.value !== 'string') throw error;
    const remedy = 'Replace or remove it, or leave out such images with undecodable=skip (lmd: data.undecodable=skip).';
    throw undecodable(path, error.value, remedy);
  }
}

/** Maximum number of bytes read for a fingerprint, so that it takes at most a second. */
const fingerprintedBytes = 64 * 2 ** 20;

/**
 * One file in memory at a time. The first that is beyond the budget ends the reading, so that the same folder is always
 * read alike.
 */
async function fingerprintOfImages(
  entries: readonly LabelledFile[],
  reducedFor: ReductionTarget | undefined,
): Promise<string> {
  const parts: FingerprintPart[] = [];
  let left = fingerprintedBytes;
  for (const { path, name, size, label } of entries) {
    parts.push(name, size, label);
    left -= size;
    if (left >= 0) parts.push(fingerprintOf([await readWhole(path, 0, () => undefined)]));
  }
  if (reducedFor !== undefined) {
    const { height, width, fit, cropFraction } = reducedFor;
    parts.push('reduced', height, width, fit, cropFraction);
  }
  return fingerprintOf(parts);
}

/**
 * The given decoder, or sharp.
 *
 * @throws LmdError `INVALID_ARGUMENT`; `ENGINE_MISSING`, now and not at the first image.
 */
export async function decoderOf(
  owner: string,
  options: Pick<ResolvedOptions<typeof imageFilesOptionTable>, 'decoder' | 'orientation' | 'preprocessing'>,
): Promise<ImageDecoder> {
  const { decoder: given, preprocessing } = options;
  if (given === undefined) {
    const orientation = chosenOrientation(owner, options);
    await loadSharp();
    return imageDecoder(undefined, orientation, preprocessing);
  }
  const { extensions, decode } = given as Partial<ImageDecoder>;
  const areExtensions =
    Array.isArray(extensions) && extensions.every((one) => typeof one === 'string' && /^\.[^A-Z]+$/.test(one));
  if (areExtensions && extensions.length > 0 && typeof decode === 'function') return given;
  throw argumentError(
    owner,
    'decoder',
    given,
    "Use an object with decode(path) and extensions, such as ['.jpg']: see ImageDecoder.",
  );
}

/** Decodes all images, several at a time, and keeps those that can be decoded, in order. */
async function decodable(
  entries: readonly LabelledFile[],
  decoder: ImageDecoder,
  skipped: { readonly path: string; readonly reason: string }[],
  onProgress: OptionsOf<typeof imageFilesOptionTable>['onProgress'],
): Promise<LabelledFile[]> {
  const kept: LabelledFile[] = [];
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
