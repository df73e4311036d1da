import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Dataset } from './dataset.js';
import { fingerprintOf } from './fingerprint.js';
import { dtypeOf, toHostArray } from './host-array.js';
import { checkedLabels } from './labels.js';
import { normalizationOptionTable, normalizationTable } from './normalization.js';

const isList = (value: unknown): boolean => dtypeOf(value) !== undefined;

/** What images of one size in memory are given as, declared once. */
export const imagesOptionTable = {
  /** Name of the data in errors and checkpoints. Required. */
  name: option.text({ required: true, describe: 'Name of the data in errors and checkpoints.' }),
  /**
   * Bytes of all images: [examples, height, width, channels], row-major. A Uint8Array of the bytes of all images;
   * required.
   */
  images: option.value<Uint8Array>({
    required: true,
    describe: 'Bytes of all images: [examples, height, width, channels], row-major.',
    allowed: 'a Uint8Array of the bytes of all images',
    check: isList,
  }),
  /** Class of each image, in [0, classes). A list of numbers; required. */
  labels: option.value<ArrayLike<number>>({
    required: true,
    describe: 'Class of each image, in [0, classes).',
    allowed: 'a list of numbers',
    check: isList,
  }),
  /** Height of the images, in pixels. A whole number, at least 1; required. */
  height: option.integer({ atLeast: 1, required: true, describe: 'Height of the images, in pixels.' }),
  /** Width of the images, in pixels. A whole number, at least 1; required. */
  width: option.integer({ atLeast: 1, required: true, describe: 'Width of the images, in pixels.' }),
  /** Number of channels of the images. A whole number, at least 1; required. */
  channels: option.integer({ atLeast: 1, required: true, describe: 'Number of channels of the images.' }),
  /** Number of classes. A whole number, at least 1; required. */
  classes: option.integer({ atLeast: 1, required: true, describe: 'Number of classes.' }),
} as const satisfies OptionTable;

/** The options of `imageDataset`, declared once. */
export const imageDatasetOptionTable = {
  ...imagesOptionTable,
  ...normalizationOptionTable,
} as const satisfies OptionTable;

export interface ImageDatasetOptions extends OptionsOf<typeof imageDatasetOptionTable> {}

/**
 * Creates a data set from images in memory as bytes. A batch is normalized when it is created: (byte / 255 − mean) /
 * standardDeviation. Inputs are f32 [examples, height, width, channels].
 *
 * @throws LmdError `SHAPE_MISMATCH` if images and labels differ in count; `DATA_CORRUPT` for a label out of range;
 * `INVALID_ARGUMENT` for a mean or standard deviation with the wrong count or sign.
 */
export function imageDataset(options: ImageDatasetOptions): Dataset {
  const checked = resolveOptions('imageDataset', imageDatasetOptionTable, options);
  const { name, height, width, channels, classes } = checked;
  const images = checkedImages(name, checked.images);
  const labels = checkedLabels(name, checked.labels, classes);
  const pixels = height * width * channels;
  if (images.length !== labels.length * pixels) {
    throw new LmdError('SHAPE_MISMATCH', `Data set "${name}": ${images.length} bytes for ${labels.length} labels.`, {
      subject: 'images',
      value: images.length,
      remedy: `Use ${labels.length} × ${pixels} bytes: ${height} × ${width} × ${channels} for each label.`,
    });
  }
  const normalized = normalizationTable('imageDataset', channels, checked);
  let fingerprint: string | undefined;
  return {
    name,
    size: labels.length,
    classes,
    get fingerprint() {
      fingerprint ??= fingerprintOf([height, width, channels, images, labels]);
      return fingerprint;
    },
    inputShape: [height, width, channels],
    batch(indices) {
      const data = new Float32Array(indices.length * pixels);
      indices.forEach((index, row) => {
        const from = index * pixels;
        const to = row * pixels;
        // A table row per channel: one load per pixel instead of a division.
        for (let pixel = 0; pixel < pixels; pixel++) {
          data[to + pixel] = normalized[((pixel % channels) << 8) | images[from + pixel]!]!;
        }
      });
      return {
        inputs: { data, shape: [indices.length, height, width, channels], dtype: 'f32' },
        labels: { data: indices.map((index) => labels[index]!), shape: [indices.length] },
      };
    },
  };
}

/** Checks that all values are bytes; pixels on another scale would otherwise become black. */
function checkedImages(name: string, images: ArrayLike<unknown>): Uint8Array {
  return toHostArray(images, 'u8', (value, index) => {
    throw new LmdError('DATA_CORRUPT', `Data set "${name}": images[${index}] is ${String(value)}.`, {
      subject: `images[${index}]`,
      value,
      remedy: 'Pixels must be integers from 0 to 255. Use arrayDataset for other values.',
    });
  });
}
