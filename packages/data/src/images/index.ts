export {
  type Cifar100Images,
  type CifarImages,
  cifarNormalization,
  parseCifar10,
  parseCifar100,
} from './cifar.js';
export { type IdxArray, type IdxData, parseIdx } from './idx.js';
export { type ImageSource, type ImagesInMemoryOptions, imagesInMemory, type Pixels } from './image.js';
export { mnistNormalization } from './mnist.js';
export type { RandAugmentOptions } from './rand-augment.js';
export { type AugmentationOptions, type TransformImagesOptions, transformImages } from './transform-images.js';
