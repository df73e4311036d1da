import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { transformImages } from '@lmd/data/images';
import { cifarClassNames, readCifar10Folder, readCifar100Folder } from '@lmd/data/node';
import { augmentationOf } from './augmentation.js';
import { holdOut } from './held-out.js';
import { picturePreprocessing } from './preprocessing.js';
import type { DataSource } from './source.js';

/** CIFAR-10 and CIFAR-100 (A. Krizhevsky, 2009), with the customary normalization. */
function cifar(classes: 10 | 100, read: typeof readCifar10Folder): DataSource<'cifar10' | 'cifar100'> {
  return {
    locate(configuration) {
      const folder = resolve(configuration.folder);
      if (existsSync(folder)) return { ...configuration, folder };
      throw new LmdError('FILE_SYSTEM', `data.folder is ${folder}, which does not exist.`, {
        subject: 'data.folder',
        value: folder,
        remedy: `Download and unpack the binary version of CIFAR-${classes}, and set data.folder to its folder.`,
      });
    },
    geometry: (configuration) => ({
      kind: 'images',
      imageSize: 32,
      channels: 3,
      classes,
      classNames: cifarClassNames(configuration.folder, classes),
      preprocessing: picturePreprocessing(configuration),
    }),
    async load(configuration, seed) {
      const { folder, validation, augmentation } = configuration;
      const { train, test } = await read({ folder });
      const preprocessing = picturePreprocessing(configuration);
      const training = transformImages(train, { ...preprocessing, augmentation: augmentationOf(augmentation) });
      return { ...holdOut(training, validation, seed), test: transformImages(test, preprocessing) };
    },
    describe: ({ folder }) => `CIFAR-${classes} from ${folder}`,
  };
}

export const cifar10 = cifar(10, readCifar10Folder) as DataSource<'cifar10'>;
export const cifar100 = cifar(100, readCifar100Folder) as DataSource<'cifar100'>;
