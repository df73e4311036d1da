import { type OptionsOf, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import { type RandAugmentOptions, randAugmentOptionTable } from './rand-augment.js';

/** A crop of the image padded by some pixels, as usual for CIFAR; declared once. */
export const paddedCropOptionTable = {
  /**
   * Moves images by up to this number of pixels either way, as usual for CIFAR. A whole number, at least 0; required.
   */
  padding: option.integer({
    atLeast: 0,
    required: true,
    describe: 'Moves images by up to this number of pixels either way, as usual for CIFAR.',
  }),
} as const satisfies OptionTable;

/** A random region, resized, as usual for ImageNet; declared once. */
export const randomRegionOptionTable = {
  /**
   * Resizes a random region of a part of the area in these bounds: [0.08, 1] is usual for ImageNet. Two numbers above 0
   * and at most 1, the smaller one first; required.
   */
  scale: option.interval({
    above: 0,
    atMost: 1,
    required: true,
    describe: 'Resizes a random region of a part of the area in these bounds: [0.08, 1] is usual for ImageNet.',
  }),
  /**
   * Width / height of the region: [3/4, 4/3] is usual for ImageNet. Two numbers above 0, the smaller one first;
   * required.
   */
  ratio: option.interval({
    above: 0,
    required: true,
    describe: 'Width / height of the region: [3/4, 4/3] is usual for ImageNet.',
  }),
} as const satisfies OptionTable;

type CropOptions = OptionsOf<typeof paddedCropOptionTable> | OptionsOf<typeof randomRegionOptionTable>;

/** The augmentation of images, declared once. */
export const augmentationOptionTable = {
  /** A random crop: `{ padding }`, or `{ scale, ratio }`; by default none. An object. */
  crop: option.object<CropOptions>({
    describe: 'A random crop: `{ padding }`, or `{ scale, ratio }`; by default none.',
  }),
  /** Probability of mirroring left to right. At least 0 and at most 1; default 0. */
  flip: option.number({ atLeast: 0, atMost: 1, default: 0, describe: 'Probability of mirroring left to right.' }),
  /** Random operations; by default none. An object. */
  randAugment: option.object<RandAugmentOptions>({ describe: 'Random operations; by default none.' }),
  /** α of mixup, which mixes images and labels of two examples; 0 is none. At least 0; default 0. */
  mixup: option.number({
    atLeast: 0,
    default: 0,
    describe: 'α of mixup, which mixes images and labels of two examples; 0 is none.',
  }),
  /**
   * α of cutmix, which puts a rectangle of one image into another; 0 is none. With mixup, a coin decides for each
   * image. At least 0; default 0.
   */
  cutmix: option.number({
    atLeast: 0,
    default: 0,
    describe:
      'α of cutmix, which puts a rectangle of one image into another; 0 is none. With mixup, a coin decides for each image.',
  }),
  /**
   * Part of each label that is spread evenly over all classes (Szegedy et al., arXiv:1512.00567). At least 0 and at
   * most 1; default 0.
   */
  labelSmoothing: option.number({
    atLeast: 0,
    atMost: 1,
    default: 0,
    describe: 'Part of each label that is spread evenly over all classes (Szegedy et al., arXiv:1512.00567).',
  }),
} as const satisfies OptionTable;

export interface AugmentationOptions extends OptionsOf<typeof augmentationOptionTable> {}

export interface CheckedAugmentation extends Omit<ResolvedOptions<typeof augmentationOptionTable>, 'randAugment'> {
  readonly randAugment: ResolvedOptions<typeof randAugmentOptionTable> | undefined;
}

export function checkedAugmentation(options: AugmentationOptions): CheckedAugmentation {
  const caller = 'transformImages: augmentation';
  const { crop, randAugment, ...rest } = resolveOptions(caller, augmentationOptionTable, options);
  const isPadded = crop !== undefined && 'padding' in crop;
  return {
    ...rest,
    crop:
      crop === undefined
        ? undefined
        : isPadded
          ? resolveOptions(`${caller}.crop`, paddedCropOptionTable, crop)
          : resolveOptions(`${caller}.crop`, randomRegionOptionTable, crop),
    randAugment: randAugment && resolveOptions(`${caller}.randAugment`, randAugmentOptionTable, randAugment),
  };
}
