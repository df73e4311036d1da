import { type OptionsOf, type OptionTable, option } from '@lmd/core';
import type { Draws } from './draws.js';
import type { Pixels } from './image.js';
import {
  affine,
  autoContrast,
  brightness,
  contrast,
  equalize,
  posterize,
  rotate,
  saturation,
  sharpness,
  solarize,
} from './pixel-operations.js';

/** The options of RandAugment, declared once. */
export const randAugmentOptionTable = {
  /** Number of operations per image, applied in sequence. A whole number, at least 0; default 2. */
  operations: option.integer({
    atLeast: 0,
    default: 2,
    describe: 'Number of operations per image, applied in sequence.',
  }),
  /** Magnitude of the operations. At least 0 and at most 30; default 9. */
  magnitude: option.number({ atLeast: 0, atMost: 30, default: 9, describe: 'Magnitude of the operations.' }),
} as const satisfies OptionTable;

export interface RandAugmentOptions extends OptionsOf<typeof randAugmentOptionTable> {}

/** `m` is the magnitude over 30; `sign` is +1 or −1. */
type Operation = (image: Pixels, m: number, sign: number) => Pixels;

/** The fourteen operations with the argument for a magnitude, as in torchvision's RandAugment. */
const operations: readonly Operation[] = [
  (image) => image,
  (image, m, sign) => affine(image, [1, 0.3 * m * sign, 0, 0, 1, 0]),
  (image, m, sign) => affine(image, [1, 0, 0, 0.3 * m * sign, 1, 0]),
  (image, m, sign) => affine(image, [1, 0, Math.trunc((150 / 331) * image.width * m * sign), 0, 1, 0]),
  (image, m, sign) => affine(image, [1, 0, 0, 0, 1, Math.trunc((150 / 331) * image.height * m * sign)]),
  (image, m, sign) => rotate(image, 30 * m * sign),
  (image, m, sign) => brightness(image, 1 + 0.9 * m * sign),
  (image, m, sign) => saturation(image, 1 + 0.9 * m * sign),
  (image, m, sign) => contrast(image, 1 + 0.9 * m * sign),
  (image, m, sign) => sharpness(image, 1 + 0.9 * m * sign),
  (image, m) => posterize(image, 8 - Math.round(4 * m)),
  (image, m) => solarize(image, 255 * (1 - m)),
  autoContrast,
  equalize,
];

/**
 * RandAugment (Cubuk et al., arXiv:1909.13719): several operations, each drawn uniformly from fourteen, all with the
 * same magnitude. Pixels from outside the image are black.
 */
export function randAugment(image: Pixels, options: Required<RandAugmentOptions>, draws: Draws): Pixels {
  let result = image;
  for (let count = 0; count < options.operations; count++) {
    const operation = operations[draws.below(operations.length)]!;
    const sign = draws.chance(0.5) ? 1 : -1;
    result = operation(result, options.magnitude / 30, sign);
  }
  return result;
}
