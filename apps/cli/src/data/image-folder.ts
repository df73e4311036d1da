import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { transformImages } from '@lmd/data/images';
import { classFolders, openImageFolder } from '@lmd/data/node';
import { augmentationOf } from './augmentation.js';
import { holdOut } from './held-out.js';
import { preprocessingOf } from './preprocessing.js';
import type { DataSource } from './source.js';

function testFolder(folder: string): string {
  return join(folder, existsSync(join(folder, 'test')) ? 'test' : 'val');
}

/** The classes of the training images, in label order. The test images may not have others. */
function classNames(folder: string): string[] {
  const names = classFolders(join(folder, 'train'));
  if (names.length === 0) {
    throw new LmdError('DATA_CORRUPT', `data.folder is ${folder}, but ${join(folder, 'train')} has no subfolders.`, {
      subject: 'data.folder',
      value: folder,
      remedy: 'Put the images of each class into a subfolder.',
    });
  }
  const other = classFolders(testFolder(folder)).find((name) => !names.includes(name));
  if (other === undefined) return names;
  throw new LmdError(
    'DATA_CORRUPT',
    `${join(testFolder(folder), other)} is a class that is missing in ${folder}/train.`,
    {
      subject: 'data.folder',
      value: folder,
      remedy: `Rename or remove the folder, or add the class to train, whose classes are ${names.join(', ')}.`,
    },
  );
}

export const imageFolder: DataSource<'imageFolder'> = {
  locate(configuration) {
    const folder = resolve(configuration.folder);
    const missing = [join(folder, 'train'), testFolder(folder)].find((path) => !existsSync(path));
    if (missing === undefined) return { ...configuration, folder };
    throw new LmdError('FILE_SYSTEM', `data.folder is ${folder}, but ${missing} does not exist.`, {
      subject: 'data.folder',
      value: folder,
      remedy: 'Use a folder with the subfolders train and test (or val), each with a subfolder per class.',
    });
  },
  geometry: ({ folder, size }) => ({
    kind: 'images',
    imageSize: size,
    channels: 3,
    classes: classNames(folder).length,
  }),
  async load(configuration, seed) {
    const { folder, undecodable, validation, augmentation } = configuration;
    const options = { classNames: classNames(folder), undecodable };
    const train = await openImageFolder({ ...options, folder: join(folder, 'train') });
    const test = await openImageFolder({ ...options, folder: testFolder(folder) });
    const preprocessing = preprocessingOf(configuration);
    const training = transformImages(train, { ...preprocessing, augmentation: augmentationOf(augmentation) });
    return {
      ...holdOut(training, validation, seed),
      test: transformImages(test, preprocessing),
      skipped: [...train.skipped, ...test.skipped].map(({ path, reason }) => `${path}: ${reason}`),
      unused: [...train.unused, ...test.unused],
      async close() {
        await train.close();
        await test.close();
      },
    };
  },
  describe: ({ folder }) => `images from ${folder}`,
};
