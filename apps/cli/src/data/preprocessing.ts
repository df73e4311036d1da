import { cifarNormalization, type TransformImagesOptions } from '@lmd/data/images';
import type { DataConfiguration } from '../configuration/data-schema.js';

/** Data that `transformImages` preprocesses. */
export type PictureConfiguration = Extract<
  DataConfiguration,
  { readonly kind: 'imageFolder' | 'cifar10' | 'cifar100' }
>;

/** Statistics of ImageNet's training images, as in torchvision and timm. */
const imageNetNormalization = { mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225] };

/**
 * Preprocessing of an image: centre crop to the largest square, resize, normalize. It is the same for training (before
 * augmentation), validation, test and prediction, so that their results are comparable.
 */
export function preprocessingOf(configuration: PictureConfiguration): Omit<TransformImagesOptions, 'augmentation'> {
  if (configuration.kind !== 'imageFolder') {
    return { height: 32, width: 32, ...cifarNormalization[configuration.kind] };
  }
  return { height: configuration.size, width: configuration.size, ...imageNetNormalization };
}
