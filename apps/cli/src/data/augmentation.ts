import type { AugmentationOptions } from '@lmd/data/images';
import type { AugmentationConfiguration } from '../configuration/data-schema.js';

/** What a configuration asks for, as `transformImages` takes it; none where it asks for nothing. */
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
