import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { transformImages } from '@lmd/data/images';
import { openImageFolder } from '@lmd/data/node';
import { augmentationOf } from './augmentation.js';
import { holdOut } from './held-out.js';
import type { DataSource } from './source.js';

/** Of ImageNet's training images, as torchvision and timm have them. */
const normalization = { mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225] };

function testFolder(folder: string): string {
  return join(folder, existsSync(join(folder, 'test')) ? 'test' : 'val');
}

/** The classes of the training images, in the order of their labels. */
function classNames(folder: string): string[] {
  return readdirSync(join(folder, 'train'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort((a, b) => (a < b ? -1 : 1));
}

export const imageFolder: DataSource<'imageFolder'> = {
  locate(configuration) {
    const folder = resolve(configuration.folder);
    const missing = [join(folder, 'train'), testFolder(folder)].find((path) => !existsSync(path));
    if (missing === undefined) return { ...configuration, folder };
    throw new LmdError('FILE_SYSTEM', `There is no folder ${missing}.`, {
      subject: 'data.folder',
      value: folder,
      remedy: 'Name a folder with train and test (or val) in it, each with a folder for each class.',
    });
  },
  geometry: ({ folder, size }) => ({
    kind: 'images',
    imageSize: size,
    channels: 3,
    classes: classNames(folder).length,
  }),
  async load({ folder, size, undecodable, validation, augmentation }, seed) {
    const options = { classNames: classNames(folder), undecodable };
    const train = await openImageFolder({ ...options, folder: join(folder, 'train') });
    const test = await openImageFolder({ ...options, folder: testFolder(folder) });
    const images = { height: size, width: size, ...normalization };
    const training = transformImages(train, { ...images, augmentation: augmentationOf(augmentation) });
    return {
      ...holdOut(training, validation, seed),
      test: transformImages(test, { ...images, cropFraction: 0.875 }),
      skipped: [...train.skipped, ...test.skipped].map(({ path, reason }) => `${path}: ${reason}`),
      async close() {
        await train.close();
        await test.close();
      },
    };
  },
  describe: ({ folder }) => `images from ${folder}`,
};
