import {
  isTypedArray,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type ResolvedOptions,
  resolveOptions,
} from '@lmd/core';
import type { BatchContext, Dataset, DatasetBatch } from '@lmd/training';
import { type AugmentationOptions, type CheckedAugmentation, checkedAugmentation } from './augmentation-options.js';
import { flipped, paddedCrop, randomRegion } from './crops.js';
import { Draws } from './draws.js';
import type { ImageSource, Pixels } from './image.js';
import { mixRows } from './mixing.js';
import { type Preprocessor, preprocessingOptionTable, preprocessor } from './preprocessing.js';
import { randAugment } from './rand-augment.js';

/** The options of `transformImages`, declared once. */
export const transformImagesOptionTable = {
  ...preprocessingOptionTable,
  /** Augmentation of the training images; evaluation uses images without augmentation. An object. */
  augmentation: option.object<AugmentationOptions>({
    describe: 'Augmentation of the training images; evaluation uses images without augmentation.',
  }),
} as const satisfies OptionTable;

export interface TransformImagesOptions extends OptionsOf<typeof transformImagesOptionTable> {}

/**
 * Creates a data set of images of one size from images of any size: cropped, flipped, RandAugment, normalized, mixed,
 * in this order. Inputs are f32 [examples, height, width, channels]: (byte / 255 − mean) / standardDeviation.
 *
 * Every random choice is a function of (seed, epoch, index), so that a resumed run uses the same images as an
 * uninterrupted one. With mixup, cutmix or label smoothing a batch has `softLabels`.
 *
 * @throws LmdError `INVALID_ARGUMENT` and `UNKNOWN_OPTION` naming the option; from `batch`, errors of the source.
 */
export function transformImages(source: ImageSource, options: TransformImagesOptions): Dataset {
  const checked = resolveOptions('transformImages', transformImagesOptionTable, options);
  const { height, width } = checked;
  const { channels, classes } = source;
  checkSource(source, checked);
  const { size: pixels, region, resized, normalize } = preprocessor('transformImages', channels, checked);
  const augmentation = checkedAugmentation(checked.augmentation ?? {});

  const prepare = (image: Pixels, index: number, context: BatchContext | undefined): Pixels => {
    if (context === undefined) return resized(image, region(image));
    return augment(image, augmentation, { region, resized }, (name) => {
      return new Draws(name, context.seed, context.epoch, index);
    });
  };

  return {
    name: source.name,
    size: source.size,
    classes,
    get fingerprint() {
      return source.fingerprint;
    },
    inputShape: [height, width, channels],
    async batch(indices, context) {
      const data = new Float32Array(indices.length * pixels);
      // Each image is resized as soon as it is decoded: the decoded photographs of a batch would take gigabytes.
      await Promise.all(
        Array.from(indices, async (index, row) => {
          const bytes = prepare(checkedImage(source, index, await source.image(index)), index, context).data;
          normalize(bytes, data, row * pixels);
        }),
      );
      const labels = Int32Array.from(indices, (index) => checkedLabel(source, index));
      const batch: DatasetBatch = {
        inputs: { data, shape: [indices.length, height, width, channels], dtype: 'f32' },
        labels: { data: labels, shape: [indices.length] },
      };
      const { mixup, cutmix, labelSmoothing } = augmentation;
      if (context === undefined || mixup + cutmix + labelSmoothing === 0) return batch;
      const own =
        mixup + cutmix === 0
          ? undefined
          : mixRows(data, indices, { height, width, channels }, { mixup, cutmix }, context);
      return { ...batch, softLabels: softLabels(labels, own, classes, labelSmoothing) };
    },
  };
}

/**
 * [examples, classes]: the mixture of the labels of each row and its partner (`mixRows`), with `smoothing` distributed
 * evenly over all classes.
 */
function softLabels(
  labels: Int32Array,
  own: Float64Array | undefined,
  classes: number,
  smoothing: number,
): NonNullable<DatasetBatch['softLabels']> {
  const data = new Float32Array(labels.length * classes).fill(smoothing / classes);
  labels.forEach((label, row) => {
    const part = own?.[row] ?? 1;
    data[row * classes + label]! += (1 - smoothing) * part;
    if (part < 1) data[row * classes + labels[labels.length - 1 - row]!]! += (1 - smoothing) * (1 - part);
  });
  return { data, shape: [labels.length, classes] };
}

function augment(
  image: Pixels,
  { crop, flip, randAugment: rand }: CheckedAugmentation,
  { region, resized }: Pick<Preprocessor, 'region' | 'resized'>,
  draws: (name: string) => Draws,
): Pixels {
  const seen =
    crop !== undefined && 'scale' in crop ? randomRegion(image, crop.scale, crop.ratio, draws('crop')) : region(image);
  let result = resized(image, seen);
  if (crop !== undefined && 'padding' in crop) result = paddedCrop(result, crop.padding, draws('crop'));
  if (flip > 0 && draws('flip').chance(flip)) result = flipped(result);
  return rand === undefined ? result : randAugment(result, rand, draws('rand-augment'));
}

/** What the preprocessing says of the source must be so. */
function checkSource(source: ImageSource, checked: ResolvedOptions<typeof preprocessingOptionTable>): void {
  const { channels, orientation, decoding } = checked;
  const differ = (name: string, value: unknown, own: unknown, remedy: string) =>
    new LmdError('INVALID_ARGUMENT', `transformImages: ${name} is ${value}, but "${source.name}" has ${own}.`, {
      subject: name,
      value,
      remedy,
    });
  const differs = (name: string, value: unknown, own: unknown) =>
    differ(name, value, own, `Open the source with ${name} ${value}, or omit the option.`);
  if (channels !== undefined && channels !== source.channels) throw differs('channels', channels, source.channels);
  if (orientation !== undefined && source.orientation !== undefined && orientation !== source.orientation) {
    throw differs('orientation', orientation, source.orientation);
  }
  const { reducedFor } = source;
  const own = reducedFor === undefined ? 'full' : 'reduced';
  const samePreprocessing = 'Open the source with the same option preprocessing as the options here.';
  if (decoding !== undefined && decoding !== own) throw differ('decoding', decoding, own, samePreprocessing);
  for (const name of ['height', 'width', 'fit', 'cropFraction'] as const) {
    if (reducedFor === undefined || reducedFor[name] === checked[name]) continue;
    throw differ(name, checked[name], `images reduced for ${reducedFor[name]}`, samePreprocessing);
  }
}

function checkedLabel(source: ImageSource, index: number): number {
  const label = source.label(index);
  if (Number.isInteger(label) && label >= 0 && label < source.classes) return label;
  throw new LmdError('DATA_CORRUPT', `The label of image ${index} of "${source.name}" is ${label}.`, {
    subject: `label ${index}`,
    value: label,
    remedy: `Labels must be integers from 0 to ${source.classes - 1}.`,
  });
}

/** Validates an image of a source, which may be third-party. */
function checkedImage(source: ImageSource, index: number, image: Pixels): Pixels {
  const refuse = (problem: string, value: unknown, remedy: string) =>
    new LmdError('DATA_CORRUPT', `Image ${index} of "${source.name}" ${problem}.`, {
      subject: `image ${index}`,
      value,
      remedy,
    });
  const { width, height, channels, data } = image ?? {};
  if (channels !== source.channels) {
    throw refuse(
      `has ${channels} channels, not ${source.channels}`,
      channels,
      'All images of a source must have the same channels.',
    );
  }
  if (!isTypedArray(data, 'Uint8Array')) {
    throw refuse(
      'has data that is not a Uint8Array',
      typeof data,
      'Return { width, height, channels, data } with bytes.',
    );
  }
  const isSize = [width, height].every((extent) => Number.isSafeInteger(extent) && extent > 0);
  if (isSize && data.length === width * height * channels) return image;
  throw refuse(
    `has ${data.length} bytes for ${width} × ${height} × ${channels}`,
    data.length,
    'Use [height, width, channels] bytes, row-major.',
  );
}
