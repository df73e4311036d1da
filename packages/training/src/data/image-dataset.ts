import { LmdError } from '@lmd/core';
import { refuseUnknownOptions } from '../options.js';
import type { Dataset } from './dataset.js';
import { fingerprintOf } from './fingerprint.js';
import { dtypeOf, toHostArray } from './host-array.js';
import { checkedLabels } from './labels.js';

export interface ImageDatasetOptions {
  readonly name: string;
  /** Bytes of all images, [examples, height, width, channels] row-major. */
  readonly images: Uint8Array;
  /** One class per image, in [0, classes). */
  readonly labels: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: number;
  /** Mean of the pixels on a scale from 0 to 1: one number, or one per channel. Default 0. */
  readonly mean?: number | readonly number[];
  /** Standard deviation, like `mean`, and positive. Default 1. */
  readonly standardDeviation?: number | readonly number[];
}

const known = [
  'name',
  'images',
  'labels',
  'height',
  'width',
  'channels',
  'classes',
  'mean',
  'standardDeviation',
] as const;

/**
 * Creates a data set from images in memory as bytes. A batch is normalized when it is created: (byte / 255 − mean) /
 * standardDeviation. Inputs are f32 [examples, height, width, channels].
 *
 * @throws LmdError `SHAPE_MISMATCH` if images and labels differ in count; `DATA_CORRUPT` for a label out of range;
 * `INVALID_ARGUMENT` for a mean or standard deviation with the wrong count or sign.
 */
export function imageDataset(options: ImageDatasetOptions): Dataset {
  refuseUnknownOptions('imageDataset', options, known);
  const { name, height, width, channels, classes } = options;
  const images = checkedImages(name, options.images);
  const labels = checkedLabels(name, options.labels, classes);
  const pixels = height * width * channels;
  if (images.length !== labels.length * pixels) {
    throw new LmdError('SHAPE_MISMATCH', `Data set "${name}": ${images.length} bytes for ${labels.length} labels.`, {
      subject: 'images',
      value: images.length,
      remedy: `Use ${labels.length} × ${pixels} bytes: ${height} × ${width} × ${channels} for each label.`,
    });
  }
  const normalized = normalizationTable(name, channels, options.mean ?? 0, options.standardDeviation ?? 1);
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
function checkedImages(name: string, images: unknown): Uint8Array {
  if (dtypeOf(images) === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `Data set "${name}": images is not an array of numbers.`, {
      subject: 'images',
      value: images,
      remedy: 'Use a Uint8Array with the bytes of all images.',
    });
  }
  return toHostArray(images as ArrayLike<unknown>, 'u8', (value, index) => {
    throw new LmdError('DATA_CORRUPT', `Data set "${name}": images[${index}] is ${String(value)}.`, {
      subject: `images[${index}]`,
      value,
      remedy: 'Pixels must be integers from 0 to 255. Use arrayDataset for other values.',
    });
  });
}

/** [channels, 256]: the normalized value of each byte. */
function normalizationTable(
  name: string,
  channels: number,
  mean: number | readonly number[],
  standardDeviation: number | readonly number[],
): Float32Array {
  const means = perChannel(name, 'mean', mean, channels);
  const deviations = perChannel(name, 'standardDeviation', standardDeviation, channels);
  const table = new Float32Array(channels * 256);
  for (let channel = 0; channel < channels; channel++) {
    if (!(deviations[channel]! > 0)) {
      throw new LmdError('INVALID_ARGUMENT', `Data set "${name}": standardDeviation is ${deviations[channel]}.`, {
        subject: 'standardDeviation',
        value: deviations[channel],
        remedy: 'Use a positive number.',
      });
    }
    for (let byte = 0; byte < 256; byte++) {
      table[(channel << 8) | byte] = (byte / 255 - means[channel]!) / deviations[channel]!;
    }
  }
  return table;
}

function perChannel(
  name: string,
  subject: string,
  value: number | readonly number[],
  channels: number,
): readonly number[] {
  const values = typeof value === 'number' ? new Array<number>(channels).fill(value) : value;
  if (values.length !== channels || !values.every(Number.isFinite)) {
    throw new LmdError('INVALID_ARGUMENT', `Data set "${name}": ${subject} is [${values.join(', ')}].`, {
      subject,
      value,
      remedy: `Use one finite number, or ${channels}, one per channel.`,
    });
  }
  return values;
}
