import { cifarNormalization, type TransformImagesOptions } from '@lmd/data/images';
import type { DataConfiguration } from '../configuration/data-schema.js';

/** Data whose pictures `transformImages` prepares. */
export type PictureConfiguration = Extract<
  DataConfiguration,
  { readonly kind: 'imageFolder' | 'cifar10' | 'cifar100' }
>;

/** Of ImageNet's training images, as torchvision and timm have them. */
const imageNetNormalization = { mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225] };

/**
 * How a picture becomes an input of the model: the largest centred square, resized, normalised. The same for training
 * (before augmentation), validation, test and prediction, so that their numbers can be compared.
 */
export function preprocessingOf(configuration: PictureConfiguration): Omit<TransformImagesOptions, 'augmentation'> {
  if (configuration.kind !== 'imageFolder') {
    return { height: 32, width: 32, ...cifarNormalization[configuration.kind] };
  }
  return { height: configuration.size, width: configuration.size, ...imageNetNormalization };
}
