import { type ImagePreprocessing, type OptionsOf, type OptionTable, option, type ResolvedOptions } from '@lmd/core';
import { normalizationOptionTable, normalizationTable } from '@lmd/training';
import type { Pixels } from './image.js';
import { interpolations, keptRegion, type Region, resize } from './resize.js';

/** How an image of any size becomes an input, declared once: the fields of `ImagePreprocessing`. */
export const preprocessingOptionTable = {
  /** Height of the model's input, in pixels. A whole number, at least 1; required. */
  height: option.integer({ atLeast: 1, required: true, describe: "Height of the model's input, in pixels." }),
  /** Width of the model's input, in pixels. A whole number, at least 1; required. */
  width: option.integer({ atLeast: 1, required: true, describe: "Width of the model's input, in pixels." }),
  /**
   * Channels of the images, which must be those of the source. Default: those of the source. A whole number, at least
   * 1.
   */
  channels: option.integer({
    atLeast: 1,
    describe: 'Channels of the images, which must be those of the source. Default: those of the source.',
  }),
  /**
   * How images of another size are resized: `crop` resizes the largest centred region with the aspect ratio of the
   * model's input, `stretch` the whole image. `crop` or `stretch`; default `crop`.
   */
  fit: option.choice(['crop', 'stretch'], {
    default: 'crop',
    describe:
      'How images of another size are resized: `crop` resizes the largest centred region with the aspect ratio ' +
      "of the model's input, `stretch` the whole image.",
  }),
  /**
   * With `crop`, the fraction of the sides of that region that is kept; 0.875 is usual for ImageNet. Above 0 and at
   * most 1; default 1.
   */
  cropFraction: option.number({
    above: 0,
    atMost: 1,
    default: 1,
    describe: 'With `crop`, the fraction of the sides of that region that is kept; 0.875 is usual for ImageNet.',
  }),
  /**
   * Filter of the resizing, with antialiasing, as in Pillow and torchvision. `bilinear` or `bicubic`; default
   * `bilinear`.
   */
  interpolation: option.choice(interpolations, {
    default: 'bilinear',
    describe: 'Filter of the resizing, with antialiasing, as in Pillow and torchvision.',
  }),
  ...normalizationOptionTable,
  /**
   * Whether decoding turns an image as its EXIF orientation says, or keeps its pixels as stored. It must be that of the
   * source. Default: that of the source. `exif` or `stored`.
   */
  orientation: option.choice(['exif', 'stored'], {
    describe:
      'Whether decoding turns an image as its EXIF orientation says, or keeps its pixels as stored. It must be that ' +
      'of the source. Default: that of the source.',
  }),
  /**
   * `full` decodes every pixel of a file; `reduced` decodes a JPEG at 1/2, 1/4 or 1/8 of its size where the part that
   * is kept still has twice the height and the width of the input. It must be that of the source. Default: that of the
   * source. `full` or `reduced`.
   */
  decoding: option.choice(['full', 'reduced'], {
    describe:
      '`full` decodes every pixel of a file; `reduced` decodes a JPEG at 1/2, 1/4 or 1/8 of its size where the part ' +
      'that is kept still has twice the height and the width of the input. It must be that of the source. Default: ' +
      'that of the source.',
  }),
} as const satisfies OptionTable;

export interface PreprocessingOptions extends OptionsOf<typeof preprocessingOptionTable> {}

/** The steps from an image to an input. */
export interface Preprocessor {
  /** Values of an input. */
  readonly size: number;
  /** The part of an image that is seen without augmentation. */
  region(image: Pixels): Region;
  /** A region of an image at the size of the input. */
  resized(image: Pixels, region: Region): Pixels;
  /** Normalizes the bytes of an image of the input's size into `inputs`, from `offset`. */
  normalize(bytes: Uint8Array, inputs: Float32Array, offset: number): void;
}

/** @throws LmdError `INVALID_ARGUMENT` for a mean or standard deviation with the wrong count. */
export function preprocessor(
  owner: string,
  channels: number,
  preprocessing: Pick<
    ResolvedOptions<typeof preprocessingOptionTable> | ImagePreprocessing,
    'height' | 'width' | 'fit' | 'cropFraction' | 'interpolation' | 'mean' | 'standardDeviation'
  >,
): Preprocessor {
  const { height, width, interpolation } = preprocessing;
  const table = normalizationTable(owner, channels, preprocessing);
  const size = height * width * channels;
  return {
    size,
    region: (image) => keptRegion(image, preprocessing),
    resized: (image, region) => resize(image, region, height, width, interpolation),
    normalize(bytes, inputs, offset) {
      for (let k = 0; k < size; k++) inputs[offset + k] = table[((k % channels) << 8) | bytes[k]!]!;
    },
  };
}
