import { type OptionsOf, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import { type RandAugmentOptions, randAugmentOptionTable } from './rand-augment.js';

/** A crop of the image padded by some pixels, as usual for CIFAR; declared once. */
export const paddedCropOptionTable = {
  /**
   * Shifts images randomly by up to this number of pixels in each direction, as usual for CIFAR. A whole number, at
   * least 0; required.
   */
  padding: option.integer({
    atLeast: 0,
    required: true,
    describe: 'Shifts images randomly by up to this number of pixels in each direction, as usual for CIFAR.',
  }),
} as const satisfies OptionTable;

/** A random region, resized, as usual for ImageNet; declared once. */
export const randomRegionOptionTable = {
  /**
   * Random resized crop: bounds of its area, as a fraction of the image; [0.08, 1] is usual for ImageNet. Two numbers
   * above 0 and at most 1, the smaller one first; required.
   */
  scale: option.interval({
    above: 0,
    atMost: 1,
    required: true,
    describe: 'Random resized crop: bounds of its area, as a fraction of the image; [0.08, 1] is usual for ImageNet.',
  }),
  /**
   * Bounds of the aspect ratio (width / height) of the crop; [3/4, 4/3] is usual for ImageNet. Two numbers above 0, the
   * smaller one first; required.
   */
  ratio: option.interval({
    above: 0,
    required: true,
    describe: 'Bounds of the aspect ratio (width / height) of the crop; [3/4, 4/3] is usual for ImageNet.',
  }),
} as const satisfies OptionTable;

type CropOptions = OptionsOf<typeof paddedCropOptionTable> | OptionsOf<typeof randomRegionOptionTable>;

/** The augmentation of images, declared once. */
export const augmentationOptionTable = {
  /** Random crop: `{ padding }` or `{ scale, ratio }`. Default: none. An object. */
  crop: option.object<CropOptions>({
    describe: 'Random crop: `{ padding }` or `{ scale, ratio }`. Default: none.',
  }),
  /** Probability of a horizontal flip. At least 0 and at most 1; default 0. */
  flip: option.number({ atLeast: 0, atMost: 1, default: 0, describe: 'Probability of a horizontal flip.' }),
  /** RandAugment, random operations on images. Default: none. An object. */
  randAugment: option.object<RandAugmentOptions>({
    describe: 'RandAugment, random operations on images. Default: none.',
  }),
  /** α of mixup, which mixes images and labels of two examples; 0 disables it. At least 0; default 0. */
  mixup: option.number({
    atLeast: 0,
    default: 0,
    describe: 'α of mixup, which mixes images and labels of two examples; 0 disables it.',
  }),
  /**
   * α of CutMix, which pastes a rectangle of one image into another; 0 disables it. With mixup, one of the two is
   * chosen at random for each image. At least 0; default 0.
   */
  cutmix: option.number({
    atLeast: 0,
    default: 0,
    describe:
      'α of CutMix, which pastes a rectangle of one image into another; 0 disables it. With mixup, one of the ' +
      'two is chosen at random for each image.',
  }),
  /**
   * Label smoothing: fraction of each label that is spread evenly over all classes (Szegedy et al., arXiv:1512.00567).
   * At least 0 and at most 1; default 0.
   */
  labelSmoothing: option.number({
    atLeast: 0,
    atMost: 1,
    default: 0,
    describe:
      'Label smoothing: fraction of each label that is spread evenly over all classes (Szegedy et al., ' +
      'arXiv:1512.00567).',
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
