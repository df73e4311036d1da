import { transformImages } from '@lmd/data/images';
import type { ImageFiles } from '@lmd/data/node';
import { augmentationOf } from './augmentation.js';
import { holdOutByClass } from './held-out.js';
import { picturePreprocessing } from './preprocessing.js';
import type { RunData } from './run-data.js';
import type { Configured } from './source.js';

/**
 * The data of a run from images that have no test set of their own, split by class and seed.
 *
 * @param images owned by the result, and closed if the split fails.
 */
export async function splitImages(
  images: ImageFiles,
  configuration: Configured<'imageFolder' | 'imageCsv'>,
  seed: number,
): Promise<RunData> {
  try {
    const preprocessing = picturePreprocessing(configuration);
    const plain = transformImages(images, preprocessing);
    const training = transformImages(images, {
      ...preprocessing,
      augmentation: augmentationOf(configuration.augmentation),
    });
    return {
      ...holdOutByClass(images, training, plain, configuration, seed),
      skipped: images.skipped.map(({ path, reason }) => `${path}: ${reason}`),
      close: () => images.close(),
    };
  } catch (error) {
    await images.close();
    throw error;
  }
}
