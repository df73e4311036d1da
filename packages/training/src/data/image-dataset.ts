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
  /** One class an image, in [0, classes). */
  readonly labels: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: number;
  /** Of the pixels on a scale from 0 to 1: one number, or one a channel. Default 0. */
  readonly mean?: number | readonly number[];
  /** As `mean`, and positive. Default 1. */
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
 * Images in memory as bytes, normalised when a batch is made: (byte / 255 − mean) / standardDeviation. Inputs are f32
 * [examples, height, width, channels].
 *
 * @throws LmdError `SHAPE_MISMATCH` when images and labels differ in count; `DATA_CORRUPT` for a label out of range;
 * `INVALID_ARGUMENT` for a mean or deviation of the wrong count or sign.
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
      remedy: `Give ${labels.length} × ${pixels} bytes: ${height} × ${width} × ${channels} for each label.`,
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
        // A row of the table a channel: one load a pixel in place of a division.
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

/** Bytes in any array that holds them; pixels on another scale would pass for black ones. */
function checkedImages(name: string, images: unknown): Uint8Array {
  if (dtypeOf(images) === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `Data set "${name}": images is no array of numbers.`, {
      subject: 'images',
      value: images,
      remedy: 'Give a Uint8Array of the bytes of all images.',
    });
  }
  return toHostArray(images as ArrayLike<unknown>, 'u8', (value, index) => {
    throw new LmdError('DATA_CORRUPT', `Data set "${name}": images[${index}] is ${String(value)}.`, {
      subject: `images[${index}]`,
      value,
      remedy: 'Pixels are integers from 0 to 255: give others to arrayDataset, as they are.',
    });
  });
}

/** [channels, 256]: the normalised value of each byte. */
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
        remedy: 'Give a positive number.',
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
      remedy: `Give one finite number, or ${channels}: one a channel.`,
    });
  }
  return values;
}
