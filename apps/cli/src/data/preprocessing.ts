import type { ImagePreprocessing } from '@lmd/core';
import { cifarNormalization, mnistNormalization } from '@lmd/data/images';
import { type DataConfiguration, imageNetNormalization } from '../configuration/data-schema.js';

/** Data that `transformImages` preprocesses. */
export type PictureConfiguration = Extract<
  DataConfiguration,
  { readonly kind: 'imageFolder' | 'imageCsv' | 'cifar10' | 'cifar100' }
>;

/** What `transformImages` does by default, and `imageDecoder`. */
const usual = { fit: 'crop', cropFraction: 1, interpolation: 'bilinear', orientation: 'exif' } as const;

/**
 * How a picture becomes an input. It is the same for training (before augmentation), validation, test and prediction,
 * so that their results are comparable.
 */
export function picturePreprocessing(configuration: PictureConfiguration): ImagePreprocessing {
  if (configuration.kind === 'cifar10' || configuration.kind === 'cifar100') {
    return { ...usual, height: 32, width: 32, channels: 3, ...cifarNormalization[configuration.kind] };
  }
  const { size, preprocessing = {} } = configuration;
  const { mean = imageNetNormalization.mean, standardDeviation = imageNetNormalization.standardDeviation } =
    preprocessing;
  return {
    ...usual,
    ...Object.fromEntries(Object.entries(preprocessing).filter(([, value]) => value !== undefined)),
    height: size,
    width: size,
    channels: 3,
    mean: perChannel(mean),
    standardDeviation: perChannel(standardDeviation),
  };
}

/** Preprocessing of MNIST and of Fashion-MNIST, whose images are grey, light on a dark ground. */
export function digitPreprocessing(kind: keyof typeof mnistNormalization): ImagePreprocessing {
  const { mean, standardDeviation } = mnistNormalization[kind];
  return { ...usual, height: 28, width: 28, channels: 1, mean: [mean], standardDeviation: [standardDeviation] };
}

function perChannel(value: number | readonly number[]): readonly number[] {
  return typeof value === 'number' ? [value, value, value] : value;
}

/** `the largest centred square, resized to 64 × 64 pixels (bilinear), …`: for the report. */
export function describePreprocessing(preprocessing: ImagePreprocessing): string {
  const { height, width, channels, fit, cropFraction, interpolation, mean, standardDeviation, orientation, decoding } =
    preprocessing;
  const region =
    height === width ? 'the largest centred square' : 'the largest centred region of the same aspect ratio';
  const kept = cropFraction === 1 ? '' : ` (of which ${cropFraction} of each side)`;
  const numbers = (values: readonly number[]) => (new Set(values).size === 1 ? String(values[0]) : values.join(', '));
  return [
    `${fit === 'crop' ? `${region}${kept}` : 'the whole image'}, resized to ${height} × ${width} pixels (${interpolation})`,
    `${channels === 1 ? 'grey' : 'RGB'} normalized by mean ${numbers(mean)} and standard deviation ${numbers(standardDeviation)}`,
    orientation === 'exif' ? 'turned as EXIF says' : 'turned as stored',
    ...(decoding === 'reduced' ? ['JPEGs decoded at a reduced size of at least twice the input'] : []),
  ].join('; ');
}
