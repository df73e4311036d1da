import {
  type ImagePreprocessing,
  isTypedArray,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  sizeOf,
} from '@lmd/core';
import { fingerprintOf, imagesOptionTable } from '@lmd/training';
import { argumentError } from '../options.js';

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** An image of which there are fewer pixels: its own size, and where the pixels lie in it. */
export interface ReducedFrom extends Size {
  /** Each pixel stands for `by` × `by` pixels. */
  readonly by: number;
  /** Rows at the top and columns at the left that no pixel stands for. */
  readonly top: number;
  readonly left: number;
}

/** An image as bytes. */
export interface Pixels extends Size {
  readonly channels: number;
  /** The image that was decoded at a reduced size, if these are its pixels: see `reductionOf`. */
  readonly reducedFrom?: ReducedFrom;
  /** [height, width, channels], row-major. */
  readonly data: Uint8Array;
}

/** An input for which images are decoded at a reduced size. */
export type ReductionTarget = Pick<ImagePreprocessing, 'height' | 'width' | 'fit' | 'cropFraction'>;

/** A source of images with classes. A custom source is an object with this interface. */
export interface ImageSource {
  /** Stored in checkpoints. */
  readonly name: string;
  /** Number of images. */
  readonly size: number;
  readonly classes: number;
  readonly channels: number;
  /** Names by class, if any. */
  readonly classNames?: readonly string[];
  /** How its images were turned when they were decoded, if that is known. */
  readonly orientation?: ImagePreprocessing['orientation'];
  /** The input for which its images were decoded at a reduced size; absent if they were decoded in full. */
  readonly reducedFor?: ReductionTarget;
  /** Identifies the contents, optional: see `Dataset` of @lmd/training, to which it is passed. */
  readonly fingerprint?: string | undefined;
  /** Class of an image, in [0, classes). */
  label(index: number): number;
  /** An image, which the caller must not modify. It depends only on the index. */
  image(index: number): Pixels | Promise<Pixels>;
}

/** The options of `imagesInMemory`, declared once. */
export const imagesInMemoryOptionTable = {
  ...imagesOptionTable,
  /** Names of the classes, in the order of their labels. A list of names. */
  classNames: option.value<readonly string[]>({
    describe: 'Names of the classes, in the order of their labels.',
    allowed: 'a list of names',
    check: Array.isArray,
  }),
} as const satisfies OptionTable;

export interface ImagesInMemoryOptions extends OptionsOf<typeof imagesInMemoryOptionTable> {}

/**
 * A source of images of the same size in memory, without copying.
 *
 * @throws LmdError `SHAPE_MISMATCH` if images and labels differ in count; `DATA_CORRUPT` for a label out of range.
 */
export function imagesInMemory(options: ImagesInMemoryOptions): ImageSource {
  const checked = resolveOptions('imagesInMemory', imagesInMemoryOptionTable, options);
  const { name, images, labels, height, width, channels, classes, classNames } = checked;
  if (!isTypedArray(images, 'Uint8Array')) {
    const remedy = 'Use a Uint8Array of [images, height, width, channels].';
    throw argumentError('imagesInMemory', 'images', images, remedy);
  }
  const bytes = sizeOf([height, width, channels]);
  if (images.length !== labels.length * bytes) {
    throw new LmdError('SHAPE_MISMATCH', `"${name}": ${images.length} bytes of images for ${labels.length} labels.`, {
      subject: 'images',
      value: images.length,
      remedy: `Use ${labels.length} × ${bytes} bytes: ${height} × ${width} × ${channels} for each label.`,
    });
  }
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new LmdError('DATA_CORRUPT', `"${name}": the label of image ${index} is ${label}.`, {
      subject: `labels[${index}]`,
      value: label,
      remedy: `Labels must be integers from 0 to ${classes - 1}. Check the file and the number of classes.`,
    });
  }
  let fingerprint: string | undefined;
  return {
    name,
    size: labels.length,
    get fingerprint() {
      fingerprint ??= fingerprintOf([height, width, channels, images, Int32Array.from(labels)]);
      return fingerprint;
    },
    classes,
    channels,
    ...(classNames === undefined ? {} : { classNames }),
    label: (index) => labels[index]!,
    image: (index) => ({ width, height, channels, data: images.subarray(index * bytes, (index + 1) * bytes) }),
  };
}
