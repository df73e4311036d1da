export {
  type AugmentationOptions,
  augmentationOptionTable,
  paddedCropOptionTable,
  randomRegionOptionTable,
} from './augmentation-options.js';
export {
  type Cifar100Images,
  type CifarImages,
  cifarNormalization,
  parseCifar10,
  parseCifar100,
} from './cifar.js';
export { type IdxArray, type IdxData, parseIdx } from './idx.js';
export {
  type ImageSource,
  type ImagesInMemoryOptions,
  imagesInMemory,
  type Pixels,
  type ReducedFrom,
  type ReductionTarget,
  type Size,
} from './image.js';
export { mnistNormalization } from './mnist.js';
export { type ImageBytes, preprocessImage } from './preprocess-image.js';
export { type PreprocessingOptions, preprocessingOptionTable } from './preprocessing.js';
export { type RandAugmentOptions, randAugmentOptionTable } from './rand-augment.js';
export { type Reduction, reducedSize, reductionOf } from './reduction.js';
export { type ClassSplit, type SplitByClassOptions, splitByClass, splitByClassOptionTable } from './split-by-class.js';
export { type TransformImagesOptions, transformImages, transformImagesOptionTable } from './transform-images.js';
