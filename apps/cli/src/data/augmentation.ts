import type { AugmentationOptions } from '@lmd/data/images';
import type { AugmentationConfiguration } from '../configuration/data-schema.js';

/** The configured augmentation, as options of `transformImages`; empty if none is configured. */
export function augmentationOf(configuration: AugmentationConfiguration): AugmentationOptions {
  const { padding, scale, randAugment, ...rest } = configuration ?? {};
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(given),
    ...(scale !== undefined ? { crop: { scale, ratio: [3 / 4, 4 / 3] as const } } : {}),
    ...(scale === undefined && padding !== undefined ? { crop: { padding } } : {}),
    ...(randAugment !== undefined ? { randAugment: { magnitude: randAugment } } : {}),
  };
}
