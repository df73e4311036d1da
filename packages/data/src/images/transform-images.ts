import { isTypedArray, LmdError } from '@lmd/core';
import type { BatchContext, Dataset, DatasetBatch } from '@lmd/training';
import { argumentError, checkedCount, checkedNumber, refuseUnknownOptions } from '../options.js';
import { flipped, paddedCrop, randomRegion } from './crops.js';
import { Draws } from './draws.js';
import type { ImageSource, Pixels } from './image.js';
import { mixRows } from './mixing.js';
import { type RandAugmentOptions, randAugment } from './rand-augment.js';
import { centralRegion, type Region, resize, wholeOf } from './resize.js';

export interface AugmentationOptions {
  /**
   * `padding`: random crop of the image padded by this number of pixels, as usual for CIFAR. `scale` and `ratio`:
   * resizes a random region with area fraction and aspect ratio in these ranges, as usual for ImageNet ([0.08, 1] and
   * [3/4, 4/3]).
   */
  readonly crop?:
    | { readonly padding: number }
    | { readonly scale: readonly [number, number]; readonly ratio: readonly [number, number] };
  /** Probability of a horizontal flip. */
  readonly flip?: number;
  readonly randAugment?: RandAugmentOptions;
  /** α of mixup's distribution. */
  readonly mixup?: number;
  /** α of cutmix's distribution. With both, one is chosen at random for each image. */
  readonly cutmix?: number;
  /** Fraction of each label distributed evenly over all classes (Szegedy et al., arXiv:1512.00567). */
  readonly labelSmoothing?: number;
}

export interface TransformImagesOptions {
  /** Height of the model's input. */
  readonly height: number;
  readonly width: number;
  /**
   * Images of another size: `crop` (default) resizes the largest centred region with the model's aspect ratio,
   * `stretch` the whole image.
   */
  readonly fit?: 'crop' | 'stretch';
  /** With `crop`, the fraction of the region's sides to keep. Default 1; 0.875 is usual for ImageNet. */
  readonly cropFraction?: number;
  /** Mean of the pixels on a scale from 0 to 1: one number, or one per channel. Default 0. */
  readonly mean?: number | readonly number[];
  /** Standard deviation, like `mean`, and positive. Default 1. */
  readonly standardDeviation?: number | readonly number[];
  /** Used only in training; evaluation uses the images without augmentation. */
  readonly augmentation?: AugmentationOptions;
}

const known = ['height', 'width', 'fit', 'cropFraction', 'mean', 'standardDeviation', 'augmentation'];
const knownAugmentations = ['crop', 'flip', 'randAugment', 'mixup', 'cutmix', 'labelSmoothing'];

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
  refuseUnknownOptions('transformImages', options, known);
  const height = checkedCount('transformImages', 'height', options.height, 1);
  const width = checkedCount('transformImages', 'width', options.width, 1);
  const { channels, classes } = source;
  const table = normalizationTable(channels, options.mean ?? 0, options.standardDeviation ?? 1);
  const regionOf = evaluationRegion(options, height, width);
  const augmentation = checkedAugmentation(options.augmentation ?? {});
  const pixels = height * width * channels;

  const prepare = (image: Pixels, index: number, context: BatchContext | undefined): Pixels => {
    if (context === undefined) return resize(image, regionOf(image), height, width);
    return augment(image, augmentation, { height, width, regionOf }, (name) => {
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
          for (let k = 0; k < pixels; k++) data[row * pixels + k] = table[((k % channels) << 8) | bytes[k]!]!;
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

type CheckedAugmentation = Required<Omit<AugmentationOptions, 'crop' | 'randAugment'>> & {
  readonly crop: AugmentationOptions['crop'];
  readonly randAugment: Required<RandAugmentOptions> | undefined;
};

function augment(
  image: Pixels,
  { crop, flip, randAugment: rand }: CheckedAugmentation,
  target: { readonly height: number; readonly width: number; readonly regionOf: (image: Pixels) => Region },
  draws: (name: string) => Draws,
): Pixels {
  const region =
    crop !== undefined && 'scale' in crop
      ? randomRegion(image, crop.scale, crop.ratio, draws('crop'))
      : target.regionOf(image);
  let result = resize(image, region, target.height, target.width);
  if (crop !== undefined && 'padding' in crop) result = paddedCrop(result, crop.padding, draws('crop'));
  if (flip > 0 && draws('flip').chance(flip)) result = flipped(result);
  return rand === undefined ? result : randAugment(result, rand, draws('rand-augment'));
}

function checkedAugmentation(options: AugmentationOptions): CheckedAugmentation {
  const caller = 'transformImages: augmentation';
  refuseUnknownOptions(caller, options, knownAugmentations);
  const { crop, randAugment: rand } = options;
  if (crop !== undefined && 'padding' in crop) {
    refuseUnknownOptions(`${caller}.crop`, crop, ['padding']);
    checkedCount(caller, 'crop.padding', crop.padding, 0);
  } else if (crop !== undefined) {
    refuseUnknownOptions(`${caller}.crop`, crop, ['scale', 'ratio']);
    checkedRange(caller, 'crop.scale', crop.scale, 1);
    checkedRange(caller, 'crop.ratio', crop.ratio, Number.MAX_VALUE);
  }
  if (rand !== undefined) refuseUnknownOptions(`${caller}.randAugment`, rand, ['operations', 'magnitude']);
  return {
    crop,
    flip: checkedNumber(caller, 'flip', options.flip ?? 0, 0, 1),
    randAugment: rand && {
      operations: checkedCount(caller, 'randAugment.operations', rand.operations ?? 2, 0),
      magnitude: checkedNumber(caller, 'randAugment.magnitude', rand.magnitude ?? 9, 0, 30),
    },
    mixup: checkedNumber(caller, 'mixup', options.mixup ?? 0, 0),
    cutmix: checkedNumber(caller, 'cutmix', options.cutmix ?? 0, 0),
    labelSmoothing: checkedNumber(caller, 'labelSmoothing', options.labelSmoothing ?? 0, 0, 1),
  };
}

function checkedRange(caller: string, name: string, range: readonly [number, number], maximum: number): void {
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [Number.NaN, Number.NaN];
  if (low > 0 && low <= high && high <= maximum) return;
  throw argumentError(caller, name, range, 'Use two positive numbers, the smaller one first.');
}

function evaluationRegion(options: TransformImagesOptions, height: number, width: number): (image: Pixels) => Region {
  const { fit = 'crop' } = options;
  const fraction = options.cropFraction ?? 1;
  if (fit !== 'crop' && fit !== 'stretch') {
    throw argumentError('transformImages', 'fit', fit, 'Give "crop" or "stretch".');
  }
  if (!(fraction > 0 && fraction <= 1)) {
    throw argumentError('transformImages', 'cropFraction', fraction, 'Use a number above 0 and at most 1.');
  }
  return fit === 'stretch' ? wholeOf : (image) => centralRegion(image, height, width, fraction);
}

/** [channels, 256]: the normalized value of each byte. */
function normalizationTable(
  channels: number,
  mean: number | readonly number[],
  standardDeviation: number | readonly number[],
): Float32Array {
  const [means, deviations] = [
    ['mean', mean],
    ['standardDeviation', standardDeviation],
  ].map(([name, value]) => {
    const values = typeof value === 'number' ? new Array<number>(channels).fill(value) : (value as readonly number[]);
    const lowest = name === 'mean' ? -Number.MAX_VALUE : Number.MIN_VALUE;
    if (values.length === channels && values.every((one) => one >= lowest && one <= Number.MAX_VALUE)) return values;
    const remedy = `Use one finite ${name === 'mean' ? '' : 'positive '}number, or ${channels}, one per channel.`;
    throw argumentError('transformImages', name as string, value, remedy);
  }) as [readonly number[], readonly number[]];
  const table = new Float32Array(channels * 256);
  for (let k = 0; k < table.length; k++) table[k] = ((k & 255) / 255 - means[k >> 8]!) / deviations[k >> 8]!;
  return table;
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
    'Give [height, width, channels] bytes, row-major.',
  );
}
