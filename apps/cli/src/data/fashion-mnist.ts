import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { mnistNormalization } from '@lmd/data/images';
import { readMnistFolder } from '@lmd/data/node';
import { holdOut } from './held-out.js';
import { digitPreprocessing } from './preprocessing.js';
import type { DataSource } from './source.js';

/** By label, from table 2 of the paper. */
const classNames = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/** Fashion-MNIST (Xiao, Rasul & Vollgraf, arXiv:1708.07747). */
export const fashionMnist: DataSource<'fashion-mnist'> = {
  locate(configuration) {
    const folder = resolve(configuration.folder);
    if (existsSync(folder)) return { ...configuration, folder };
    throw new LmdError('ENGINE_MISSING', `data.folder is ${folder}, which does not exist.`, {
      subject: 'data.folder',
      value: folder,
      remedy:
        'On Debian, apt install dataset-fashion-mnist. Elsewhere use the folder with the four IDX files: ' +
        '--set data.folder=<folder>.',
    });
  },
  geometry: () => ({
    kind: 'images',
    imageSize: 28,
    channels: 1,
    classes: 10,
    classNames,
    preprocessing: digitPreprocessing('fashion-mnist'),
  }),
  async load({ folder, validation }, seed) {
    const { train, test } = await readMnistFolder({
      folder,
      name: 'fashion-mnist',
      ...mnistNormalization['fashion-mnist'],
    });
    return { ...holdOut(train, validation, seed), test };
  },
  describe: ({ folder }) => `Fashion-MNIST from ${folder}`,
};
